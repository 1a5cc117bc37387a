"""Trees of any depth and names of any bytes are refused or shown, leave nothing behind, and stop no service."""

from __future__ import annotations

import os
import subprocess
import time

import pytest
from support.doubles import MemoryBackend

from plugport.core.pipeline.remove_tree import discard_tree, remove_tree
from plugport.hookspecs import Resolved, hookimpl


def make_deep(folder, depth, name="d", leaf=b"x"):
    """Make a tree whose paths may be too long for the system."""
    folder.mkdir(parents=True, exist_ok=True)
    above = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=above)
        below = os.open(name, os.O_RDONLY, dir_fd=above)
        os.close(above)
        above = below
    file = os.open("leaf", os.O_WRONLY | os.O_CREAT, dir_fd=above)
    os.write(file, leaf)
    os.close(file)
    os.close(above)


async def _register(admin):
    assert (await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})).is_success


def _slug(reply):
    return reply.json()["type"].rsplit(":", 1)[-1]


@pytest.mark.parametrize(("depth", "name"), [(300, "d"), (1000, "d"), (5000, "d"), (1000, "a-longer-name")])
def test_a_tree_of_any_depth_is_deleted(tmp_path, depth, name):
    make_deep(tmp_path / "tree", depth, name)
    (tmp_path / "kept").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "kept")
    remove_tree(tmp_path / "tree")
    assert os.listdir(tmp_path) == ["kept"]
    discard_tree(tmp_path / "tree")


def test_a_directory_without_permissions_is_deleted(tmp_path):
    make_deep(tmp_path / "tree", 3)
    (tmp_path / "tree" / "d").chmod(0)
    remove_tree(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


class DeepSource:
    """A source whose plugin is nested 1,500 deep."""

    schemes = ("deep",)

    @hookimpl
    def resolve_source(self, source, destination):
        make_deep(destination, 1500)
        return Resolved("deep")


@pytest.mark.parametrize("source", ["deep://x", "nested", "long"])
async def test_a_deep_tree_is_refused_and_leaves_nothing(serve, catalog, tmp_path, source):
    make_deep(catalog / "nested", 1000)
    make_deep(catalog / "long", 300, "a-name-of-twenty-byt")
    try:
        async with serve(MemoryBackend(), DeepSource()) as admin:
            await _register(admin)
            reply = await admin.post("/workspaces/w1/plugins", json={"source": source})
            assert (reply.status_code, _slug(reply)) == (422, "unsafe-bundle"), reply.text
            assert os.listdir(tmp_path / "data" / "work") == []
            assert (await admin.get("/plugins")).status_code == 200
    finally:
        discard_tree(catalog)


async def test_what_a_crash_left_deep_in_the_work_folder_does_not_stop_the_start(serve, tmp_path):
    make_deep(tmp_path / "data" / "work" / "crashed", 3000)
    async with serve(MemoryBackend()) as admin:
        assert (await admin.get("/readyz")).status_code == 200
        assert os.listdir(tmp_path / "data" / "work") == []


@pytest.mark.parametrize("kind", ["directory", "link to a directory", "pipe", "link to itself", "link outside"])
async def test_a_manifest_that_is_no_file_is_a_typed_refusal(serve, add_plugin, tmp_path, kind):
    folder = add_plugin("odd", {"rules/a.md": "x"})
    manifest = folder / "plugin.yaml"
    manifest.unlink()
    if kind == "directory":
        manifest.mkdir()
        (manifest / "x").write_text("x")
    elif kind == "link to a directory":
        manifest.symlink_to("rules")
    elif kind == "pipe":
        os.mkfifo(manifest)
    elif kind == "link to itself":
        manifest.symlink_to("plugin.yaml")
    else:
        manifest.symlink_to(tmp_path)
    async with serve(MemoryBackend()) as admin:
        await _register(admin)
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "odd"})
        expected = "manifest-invalid" if "directory" in kind else "unsafe-bundle"
        assert (reply.status_code, _slug(reply)) == (422, expected)
        assert os.listdir(tmp_path / "data" / "work") == []
        assert (await admin.get("/plugins")).json() == []


async def test_a_skill_whose_name_is_not_utf_8_is_listed_escaped(serve, add_plugin):
    folder = add_plugin("odd", {"skills/é/SKILL.md": "x"})
    skill = os.fsencode(folder / "skills") + b"/caf\xe9"
    os.mkdir(skill)
    with open(skill + b"/SKILL.md", "wb") as file:
        file.write(b"x")
    async with serve(MemoryBackend()) as admin:
        await _register(admin)
        (listed,) = (await admin.get("/plugins")).json()
        assert listed["skills"] == ["caf\\xe9", "é"]
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "odd"})
        assert (reply.status_code, _slug(reply)) == (422, "unsafe-bundle")


async def test_a_thousand_rules_take_linear_time(serve, add_plugin):
    async def seconds(count):
        name = f"rules{count}"
        add_plugin(name, {f"rules/r{n:05}.md": f"Rule {n}.\n\nText." for n in range(count)})
        started = time.perf_counter()
        reply = await admin.post("/workspaces/w1/plugins", json={"source": name})
        assert reply.status_code == 200, reply.text
        return time.perf_counter() - started

    async with serve(MemoryBackend()) as admin:
        await _register(admin)
        await seconds(10)
        few, many = await seconds(500), await seconds(4000)
        assert many < 8 * 3 * max(few, 0.05), (few, many)


def _commit_deep(repository, depth, name=b"d"):
    """Commit a tree nested `depth` deep, and return the commit."""

    def git(*arguments, content=None):
        done = subprocess.run(
            ["git", "-C", str(repository), *arguments], input=content, capture_output=True, check=True
        )
        return done.stdout.strip()

    subprocess.run(["git", "init", "-q", "--bare", str(repository)], check=True)
    entry = b"100644 blob " + git("hash-object", "-w", "--stdin", content=b"x") + b"\tf\n"
    tree = git("mktree", content=entry)
    for _ in range(depth):
        tree = git("mktree", content=b"040000 tree " + tree + b"\t" + name + b"\n")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return git(*author, "commit-tree", tree.decode(), "-m", "deep").decode()


@pytest.fixture
def deep_repository(tmp_path, monkeypatch):
    """The repository `github://acme/deep`, whose tag `v1` is a tree 600 folders deep."""
    repository = tmp_path / "git" / "acme" / "deep.git"
    repository.parent.mkdir(parents=True)
    commit = _commit_deep(repository, 600, b"dd")
    subprocess.run(["git", "-C", str(repository), "update-ref", "refs/tags/v1", commit], check=True)
    monkeypatch.setenv("PLUGPORT_GITHUB_BASE_URL", f"file://{tmp_path / 'git'}")


@pytest.mark.usefixtures("deep_repository")
async def test_a_deep_repository_is_refused_before_it_is_checked_out(serve, tmp_path):
    async with serve(MemoryBackend()) as admin:
        await _register(admin)
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "github://acme/deep#v1"})
        assert (reply.status_code, _slug(reply)) == (422, "unsafe-bundle"), reply.text
        assert os.listdir(tmp_path / "data" / "work") == []
