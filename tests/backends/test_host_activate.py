"""Changes beside a plugin's directory: all of them or none, no link is followed, and each may be repeated."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from plugport.builtin_backends.shell.activate import activate
from plugport.builtin_backends.shell.ask import ask
from plugport.builtin_backends.shell.install import install
from plugport.hookspecs import (
    Bundle,
    Question,
    Seen,
    SeenState,
    TargetChanges,
    TargetCopy,
    TargetLink,
    TargetWrite,
    errors,
)
from plugport.hookspecs.conformance import bundle_of

ROOT = os.geteuid() == 0
NOBODY = 65534  # has a name on every Debian, which busybox needs
ODD = "odd 'name\" $(x)/f\u00e9"


def plugin(folder: Path) -> Bundle:
    return bundle_of(folder, "p", {"a": b"a", "bin/x": b"#!/bin/sh\n"}, frozenset({"bin/x"}))


@pytest.fixture
async def config(channel, tmp_path: Path) -> Path:
    """A config dir with the plugin `p`, and a home above it."""
    folder = tmp_path / "home" / "config dir"
    folder.mkdir(parents=True)
    await install(channel, str(folder), plugin(tmp_path))
    return folder


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def changes(config: Path) -> TargetChanges:
    return TargetChanges(
        home=str(config.parent),
        copies=(TargetCopy("plugins/cache/m/p/local", True),),
        writes=(
            TargetWrite("settings.json", b"{new}", sha256(b"{old}")),
            TargetWrite(ODD, b"odd\0\xff", None),
            TargetWrite("bin/run", b"#!/bin/sh\n", None, executable=True),
            TargetWrite("gone", None, sha256(b"gone")),
        ),
        links=(
            TargetLink("skills/p", "../plugins/p"),
            TargetLink("~/.agents/skills/p", str(config / "plugins/p")),
            TargetLink("old", None, "somewhere"),
        ),
        folders=("empty/er", "empty", "full"),
    )


def prepare(config: Path) -> None:
    (config / "settings.json").write_bytes(b"{old}")
    (config / "settings.json").chmod(0o640)
    (config / "gone").write_bytes(b"gone")
    (config / "old").symlink_to("somewhere")
    (config / "empty/er").mkdir(parents=True)
    (config / "full").mkdir()
    (config / "full/file").touch()


def snapshot(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
        if ".plugport" not in path.parts
    }


async def test_each_change_is_made_and_may_be_repeated(channel, config):
    prepare(config)
    for _ in range(2):
        receipt = await activate(channel, str(config), "p", changes(config))
        assert (receipt.refused, receipt.kept) == ((), ())
        assert (config / "settings.json").read_bytes() == b"{new}"
        assert (config / "settings.json").stat().st_mode & 0o777 == 0o640
        assert (config / ODD).read_bytes() == b"odd\0\xff"
        assert os.access(config / "bin/run", os.X_OK)
        assert not (config / "gone").exists()
        assert (config / "skills/p/a").read_bytes() == (config.parent / ".agents/skills/p/a").read_bytes() == b"a"
        assert not (config / "old").is_symlink()
        assert sorted(path.name for path in (config / "plugins/cache/m/p/local").iterdir()) == ["a", "bin"]
        assert os.access(config / "plugins/cache/m/p/local/bin/x", os.X_OK)
        assert not (config / "empty").exists()
        assert (config / "full/file").exists()
        assert not list((config / "plugins/.plugport/staging").iterdir())
    if ROOT:
        for path in (ODD, "bin", "skills/p", "plugins/cache/m/p/local/a"):
            assert (config / path).lstat().st_uid == 1000


@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("settings.json", lambda path: path.write_bytes(b"changed meanwhile")),
        (ODD, lambda path: path.write_bytes(b"somebody's")),
        ("bin", lambda path: path.symlink_to("/tmp")),
        ("bin/run", lambda path: path.mkdir()),
        ("gone", lambda path: path.write_bytes(b"changed")),
        ("skills/p", lambda path: path.write_bytes(b"a file")),
        ("skills/p", lambda path: path.symlink_to("elsewhere")),
        ("skills", lambda path: path.symlink_to("/tmp")),
        ("old", lambda path: (path.unlink(), path.symlink_to("elsewhere"))),
        ("plugins/cache/m/p/local", lambda path: path.symlink_to("/tmp")),
    ],
)
async def test_what_is_something_else_now_is_named_and_nothing_is_changed(channel, config, path, make):
    prepare(config)
    place = config / path
    place.parent.mkdir(parents=True, exist_ok=True)
    make(place)
    before = snapshot(config)
    receipt = await activate(channel, str(config), "p", changes(config))
    assert len(receipt.refused) == 1
    assert receipt.refused[0].startswith(path)
    assert snapshot(config) == before


async def test_what_somebody_edited_in_a_copy_is_set_aside(channel, config, tmp_path):
    first = TargetChanges(copies=(TargetCopy("cache/p", True),))
    await activate(channel, str(config), "p", first)
    (config / "cache/p/a").write_bytes(b"edited")
    (config / "cache/p/notes").write_bytes(b"notes")
    digest = plugin(tmp_path / "again").digest
    again = TargetChanges(copies=(TargetCopy("cache/p", True, None),))
    receipt = await activate(channel, str(config), "p", again)
    assert len(receipt.kept) == 1
    assert {path.name for path in (config / receipt.kept[0]).rglob("*")} == {"a", "notes"}
    assert (config / "cache/p/a").read_bytes() == b"a"
    gone = TargetChanges(copies=(TargetCopy("cache/p", False, digest),), folders=("cache",))
    receipt = await activate(channel, str(config), "p", gone)
    assert (receipt.kept, (config / "cache").exists()) == ((), False)


async def test_changes_can_be_undone_where_no_plugin_is_left(channel, config):
    shutil.rmtree(config / "plugins")
    (config / "link").symlink_to("x")
    undo = TargetChanges(links=(TargetLink("link", None, "x"),), folders=("skills",))
    assert (await activate(channel, str(config), "p", undo)).refused == ()
    assert list(config.iterdir()) == []


def seen(answer) -> Seen:
    return Seen(SeenState.UNKNOWN)


async def test_the_agents_own_command_is_run_in_the_config_dir_as_its_owner(channel, config):
    if ROOT:
        os.chown(config, NOBODY, NOBODY)
    script = 'printf "%s|%s|%s|%s" "$PWD" "$A" "$1" "$(id -u)"; echo error >&2; exit 3'
    question = Question(("sh", "-c", script, "x", "an 'argument"), seen, {"A": "a b", "HOME": str(config.parent)})
    answer = await ask(channel, str(config), question)
    owner = NOBODY if ROOT else os.geteuid()
    assert answer.output.decode() == f"{config}|a b|an 'argument|{owner}"
    assert (answer.exit_code, answer.errors) == (3, b"error\n")
    short = await ask(channel, str(config), replace(question, max_output=3))
    assert short.output == str(config).encode()[:3]
    absent = await ask(channel, str(config), replace(question, command=("no-such-agent",)))
    assert absent.exit_code == 127
    with pytest.raises(errors.BackendUnavailable):
        await ask(channel, str(config / "none"), question)
