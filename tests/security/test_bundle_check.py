"""What a fetched tree may hold, and what is refused with its path named."""

import os
import socket
from pathlib import Path

import pytest

from plugport.core.pipeline.tree_check import check_tree
from plugport.hookspecs.errors import BundleFault, BundleTooLarge, UnsafeBundle

LIMITS = {"max_bytes": 1_000_000, "max_files": 200}


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    (root / "skills" / "greet").mkdir(parents=True)
    (root / "plugin.yaml").write_text("name: x\n")
    (root / "skills" / "greet" / "SKILL.md").write_text("hello")
    return root


def paths(root, **limits):
    return {entry.path: entry for entry in check_tree(root, **(LIMITS | limits))}


def refused(root, **limits):
    with pytest.raises(UnsafeBundle) as caught:
        check_tree(root, **(LIMITS | limits))
    return caught.value.path, caught.value.fault


def test_a_plain_tree_passes_with_its_executables(tree):
    (tree / "setup.sh").write_text("#!/bin/sh\n")
    (tree / "setup.sh").chmod(0o755)
    entries = paths(tree)
    assert sorted(entries) == ["plugin.yaml", "setup.sh", "skills/greet/SKILL.md"]
    assert entries["setup.sh"].executable
    assert not entries["plugin.yaml"].executable


def test_a_git_directory_at_the_top_is_no_part_of_a_plugin(tree):
    (tree / ".git").mkdir()
    (tree / ".git" / "config").write_text("x")
    os.mkfifo(tree / ".git" / "pipe")
    assert ".git/config" not in paths(tree)


def test_links_inside_become_the_files_that_they_lead_to(tree):
    (tree / "README.md").symlink_to("skills/greet/SKILL.md")
    (tree / "copies").symlink_to("skills")
    (tree / "skills" / "greet" / "up.yaml").symlink_to("../../plugin.yaml")
    (tree / "through.md").symlink_to("copies/greet/SKILL.md")
    entries = paths(tree)
    assert entries["README.md"].origin == tree / "skills" / "greet" / "SKILL.md"
    assert entries["copies/greet/SKILL.md"].origin == tree / "skills" / "greet" / "SKILL.md"
    assert entries["skills/greet/up.yaml"].origin == tree / "plugin.yaml"
    assert entries["through.md"].origin == tree / "skills" / "greet" / "SKILL.md"
    assert not any(entry.origin.is_symlink() for entry in entries.values())


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "../tree/plugin.yaml", "skills/../../outside"])
def test_a_link_that_leaves_the_tree_is_refused(tree, target):
    (tree.parent / "outside").write_text("secret")
    (tree / "link").symlink_to(target)
    assert refused(tree) == ("link", BundleFault.LINK_OUTSIDE)


def test_a_link_to_a_directory_outside_is_refused(tree):
    (tree / "etc").symlink_to("/etc")
    assert refused(tree) == ("etc", BundleFault.LINK_OUTSIDE)


def test_a_link_through_another_link_that_leaves_is_refused(tree):
    (tree / "a").symlink_to("z/passwd")
    (tree / "z").symlink_to("/etc")
    assert refused(tree)[1] is BundleFault.LINK_OUTSIDE


@pytest.mark.parametrize("target", ["nothing", "plugin.yaml/x", "link", ".git/config"])
def test_a_link_that_leads_nowhere_is_refused(tree, target):
    (tree / "link").symlink_to(target)
    assert refused(tree) == ("link", BundleFault.LINK_BROKEN)


def test_a_root_that_is_itself_a_link_is_refused(tree):
    (tree.parent / "root").symlink_to(tree)
    assert refused(tree.parent / "root")[1] is BundleFault.LINK_OUTSIDE


def test_a_link_to_a_directory_above_it_is_a_bomb(tree):
    (tree / "skills" / "greet" / "again").symlink_to("..")
    assert refused(tree)[1] is BundleFault.BOMB


def test_links_that_multiply_are_a_bomb(tree):
    (tree / "d0").mkdir()
    (tree / "d0" / "file").write_text("x")
    for level in range(1, 20):
        (tree / f"d{level}").mkdir()
        for copy in "ab":
            (tree / f"d{level}" / copy).symlink_to(f"../d{level - 1}")
    assert refused(tree)[1] is BundleFault.BOMB


def test_empty_directories_that_multiply_are_a_bomb(tree):
    (tree / "d0").mkdir()
    for level in range(1, 20):
        (tree / f"d{level}").mkdir()
        for copy in "ab":
            (tree / f"d{level}" / copy).symlink_to(f"../d{level - 1}")
    assert refused(tree)[1] is BundleFault.BOMB


def test_a_large_file_linked_often_is_a_bomb(tree):
    (tree / "large").write_bytes(bytes(400_000))
    for copy in range(5):
        (tree / f"copy{copy}").symlink_to("large")
    assert refused(tree)[1] is BundleFault.BOMB


def test_a_hard_link_to_outside_is_refused(tree):
    (tree.parent / "outside").write_text("secret")
    os.link(tree.parent / "outside", tree / "inside")
    assert refused(tree) == ("inside", BundleFault.HARD_LINK)


def test_hard_links_among_the_plugin_s_own_files_pass(tree):
    os.link(tree / "plugin.yaml", tree / "same.yaml")
    assert "same.yaml" in paths(tree)


def test_a_pipe_and_a_socket_are_refused(tree):
    os.mkfifo(tree / "pipe")
    assert refused(tree) == ("pipe", BundleFault.SPECIAL)
    (tree / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tree / "socket"))
        assert refused(tree) == ("socket", BundleFault.SPECIAL)


@pytest.mark.parametrize("bit", [0o4000, 0o2000, 0o1000])
def test_a_setuid_setgid_or_sticky_bit_is_refused(tree, bit):
    (tree / "tool").write_text("x")
    (tree / "tool").chmod(0o755 | bit)
    assert refused(tree) == ("tool", BundleFault.SETUID)


@pytest.mark.parametrize(
    "name", [b"a\nb", b"a\x1bb", b"a\\b", b"a\x7fb", b"\xff\xfe", "a\u2028b".encode(), b"\xc2\x85"]
)
@pytest.mark.parametrize("make", [lambda path: os.close(os.open(path, os.O_CREAT)), os.mkdir])
def test_a_hostile_name_is_refused_and_shown_in_plain_ascii(tree, name, make):
    make(os.fsencode(tree) + b"/" + name)
    path, fault = refused(tree)
    assert fault is BundleFault.NAME
    assert path.isascii()
    assert path.isprintable()


def test_a_path_that_is_too_long_is_refused(tree):
    (tree / "/".join(["a" * 200] * 6)).mkdir(parents=True)
    assert refused(tree)[1] is BundleFault.NAME


@pytest.mark.parametrize(
    ("first", "second"), [("Read", "read"), ("straße", "STRASSE"), ("e\u0301", "\u00e9"), ("D/x", "d/y")]
)
def test_names_that_differ_by_case_alone_are_refused(tree, first, second):
    for name in (first, second):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text("x")
    assert refused(tree)[1] is BundleFault.CASE


def test_a_tree_without_a_file_is_refused(tmp_path):
    root = tmp_path / "tree"
    (root / "only" / "directories").mkdir(parents=True)
    assert refused(root) == (".", BundleFault.EMPTY)


@pytest.mark.parametrize(("limit", "unit"), [("max_bytes", "bytes"), ("max_files", "files")])
def test_a_tree_over_a_limit_is_too_large_and_one_at_the_limit_is_not(tree, limit, unit):
    at = {"max_bytes": len("name: x\n") + len("hello"), "max_files": 2}
    assert len(paths(tree, **at)) == 2
    with pytest.raises(BundleTooLarge) as caught:
        check_tree(tree, **(at | {limit: at[limit] - 1}))
    assert caught.value.limit == at[limit] - 1


def test_a_sparse_file_counts_with_all_that_it_would_expand_to(tree):
    with Path(tree / "sparse").open("wb") as file:
        file.truncate(10_000_000)
    with pytest.raises(BundleTooLarge):
        check_tree(tree, **LIMITS)


def test_directories_are_limited_as_files_are(tree):
    for number in range(250):
        (tree / "skills" / str(number % 10) / str(number)).mkdir(parents=True)
    with pytest.raises(BundleTooLarge):
        check_tree(tree, **LIMITS)
