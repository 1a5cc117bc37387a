"""What the scripts use of a target: a checked list, and targets that lack something of it or change it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from support.delivered import plugins_in, staging_of, tree
from support.root_filesystems import NAMES
from support.shell_commands import functions_in, used_tools
from support.shells import SHELLS, in_root, shell_words, with_shell

from plugport.builtin_backends.shell import CommandChannel
from plugport.builtin_backends.shell.install import install
from plugport.builtin_backends.shell.plugin_list import list_installed
from plugport.builtin_backends.shell.probe import probe
from plugport.builtin_backends.shell.script import script_command
from plugport.builtin_backends.shell.tools import REQUIRED, WITH_FALLBACK
from plugport.builtin_backends.shell.uninstall import uninstall
from plugport.hookspecs import Removal, errors
from plugport.hookspecs.conformance import bundle_of

SCRIPTS = sorted((Path(__file__).parents[2] / "builtin_backends/shell/scripts").glob("*.sh"))
PAGE = Path(__file__).parents[2] / "docs/backends/tools.md"
FOLDER_LOCKS = [name for name in ("busybox-debian", "busybox-static") if os.geteuid() == 0]
"""Targets without flock."""
NOT_ASKED = {"chmod", "cp", "mkdir", "mv", "rm", "rmdir", "tar", "sh"}
"""Tools whose options a probe that changes nothing cannot try."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    return folder


def test_the_list_has_every_tool_and_option_that_the_scripts_use_and_no_other():
    texts = [path.read_text() for path in SCRIPTS if path.stem != "probe"]
    own = frozenset(name for text in texts for name in functions_in(text))
    used: defaultdict[str, set[str]] = defaultdict(set)
    for text in texts:
        for tool, options in used_tools(text, own).items():
            used[tool] |= options
    listed = {tool: set(options) for tool, options in REQUIRED.items()}
    for name, (with_fallback, _) in WITH_FALLBACK.items():
        tool, _, option = name.partition(" ")
        listed.setdefault(tool, set()).update(with_fallback, {option} - {""})
    assert dict(used) == listed


def test_the_page_has_the_list():
    text = PAGE.read_text()
    for tool, options in REQUIRED.items():
        assert f"| `{tool}` | {' '.join(f'`{option}`' for option in options)} |".replace("  ", " ") in text
    for tool, (options, instead) in WITH_FALLBACK.items():
        row = f"| `{tool}` | {' '.join(f'`{option}`' for option in options)} | {instead} |"
        assert row.replace("|  |", "| |") in text


async def test_a_whole_target_lacks_nothing(channel, config):
    answer = await probe(channel, str(config))
    assert (answer.missing, answer.owner) == ((), f"{os.geteuid()}:{os.getegid()}")


@pytest.mark.skipif(not SHELLS[1:], reason="only root can enter a root file system")
@pytest.mark.parametrize("tool", [tool for tool in REQUIRED if tool != "sh"])
async def test_a_tool_that_is_missing_is_told_by_name(tmp_path, config, tool):
    root = tmp_path / "root"
    shutil.copytree(in_root("toybox-dash"), root, symlinks=True)
    (root / "bin" / tool).unlink()
    answer = await probe(with_shell(shell_words("toybox-dash", root)), str(config))
    assert tool in answer.missing


@pytest.mark.skipif(not SHELLS[1:], reason="only root can enter a root file system")
@pytest.mark.parametrize("option", ["find -print0", "sort -z", "xargs -0", "xargs -r", "head -c", "wc -c", "ls -dn"])
async def test_an_option_that_is_missing_is_told_by_name(tmp_path, config, option):
    root = tmp_path / "root"
    shutil.copytree(in_root("debian-dash"), root, symlinks=True)
    tool, _, letters = option.partition(" ")
    (root / "bin" / tool).rename(root / "bin" / f"real-{tool}")
    (root / "bin" / tool).write_text(
        f'#!/bin/sh\nfor word; do case $word in {letters}) exit 1 ;; esac; done\nexec real-{tool} "$@"\n'
    )
    (root / "bin" / tool).chmod(0o755)
    channel = with_shell(shell_words("debian-dash", root))
    assert option in (await probe(channel, str(config))).missing
    if option in {"sort -z", "find -print0"}:
        with pytest.raises(errors.UnsupportedTarget, match=option):
            await install(channel, str(config), bundle_of(tmp_path, "p", {"a": b"1"}))
        assert plugins_in(config) == []


@pytest.mark.skipif(not SHELLS[1:], reason="only root can enter a root file system")
@pytest.mark.parametrize("tool", ["flock", "tr", "base64", "perl", "setpriv", "mktemp", "printf", "uname", "sleep"])
@pytest.mark.parametrize("root", ["debian-dash", "busybox-default"])
async def test_a_tool_with_a_fallback_may_be_missing(tmp_path, config, tool, root):
    folder = tmp_path / "root"
    shutil.copytree(in_root(root), folder, symlinks=True)
    (folder / "bin" / tool).unlink(missing_ok=True)
    channel = with_shell(shell_words(root, folder))
    await install(channel, str(config), bundle_of(tmp_path / "1", "p", {"a": b"1", "b": b"2"}))
    (config / "plugins/p/a").write_bytes(b"mine")
    receipt = await install(channel, str(config), bundle_of(tmp_path / "2", "p", {"a": b"2"}))
    assert receipt.kept_files == ("plugins/p/a",)
    assert tree(config / "plugins/p") == {"a": b"2"}
    assert [plugin.name for plugin in await list_installed(channel, str(config))] == ["p"]
    await uninstall(channel, str(config), Removal("p"))
    assert plugins_in(config) == []


HOSTILE = {
    "TAR_OPTIONS": "--strip-components=1 --exclude=*.md",
    "TAR_READER_OPTIONS": "zip:nonsense",
    "TAPE": "/nonexistent",
    "SHELLOPTS": "xtrace:verbose:noclobber:noglob:allexport",
    "BASHOPTS": "failglob:nocaseglob",
    "POSIXLY_CORRECT": "1",
    "_POSIX2_VERSION": "199209",
    "CDPATH": "/:/tmp",
    "GREP_OPTIONS": "-v",
    "QUOTING_STYLE": "c",
    "TIME_STYLE": "+%s %s %s",
    "BLOCK_SIZE": "human",
    "LD_PRELOAD": "/nonexistent.so",
    "GLOBIGNORE": "*",
    "IFS": "/",
    "PS4": "I$(echo 00)",
    "LC_ALL": "C.UTF-8",
    "BASH_FUNC_sort%%": "() { echo forged; }",
    "BASH_FUNC_find%%": "() { echo forged; }",
    "PERL5OPT": "-Mnonsense",
}


@pytest.mark.parametrize("variable", [*HOSTILE, "ENV", "BASH_ENV", "PATH", "all"])
async def test_variables_that_change_tools_change_nothing(shell, config, tmp_path, variable):
    noise = config.parent / "noise"
    noise.write_text("echo './evil/'; cd /; alias tar=false\n")
    variables = HOSTILE | {"ENV": str(noise), "BASH_ENV": str(noise), "PATH": "/nowhere:.:relative"}
    chosen = variables if variable == "all" else {variable: variables[variable]}
    setting = [f"{name}={value}" for name, value in chosen.items()]

    def wrap(argv):
        inner = argv if not shell else ["/bin/sh" if argv[0] == "sh" else argv[0], *argv[1:]]
        inner = ["/bin/sh", *argv[1:]]
        return [*shell, "/usr/bin/env" if not shell else "env", *setting, *inner]

    channel = CommandChannel(wrap)
    files = {"plugin.yaml": b"name: p\n", "docs/a.md": b"a", "sort": b"#!/bin/sh\necho forged\n", "b c": b"\xff"}
    bundle = bundle_of(tmp_path, "p", files, frozenset({"sort"}))
    assert (await install(channel, str(config), bundle)).digest == bundle.digest
    assert tree(config / "plugins/p") == files
    (config / "plugins/p/docs/a.md").write_bytes(b"mine")
    assert (await install(channel, str(config), bundle)).kept_files == ("plugins/p/docs/a.md",)
    (plugin,) = await list_installed(channel, str(config))
    assert (plugin.name, plugin.digest, plugin.manifest) == ("p", bundle.digest, "name: p\n")
    await uninstall(channel, str(config), Removal("p"))
    assert plugins_in(config) == []


async def test_many_plugins_at_once_arrive_and_one_plugin_at_once_is_whole(channel, config, tmp_path):
    others = [bundle_of(tmp_path / str(number), f"p{number}", {"a": b"%d" % number * 1000}) for number in range(4)]
    same = [bundle_of(tmp_path / f"s{number}", "same", {"a": b"%d" % number * 1000}) for number in range(3)]
    await asyncio.gather(*(install(channel, str(config), bundle) for bundle in (*others, *same)))
    plugins = {plugin.name: plugin.digest for plugin in await list_installed(channel, str(config))}
    assert plugins.pop("same") in {bundle.digest for bundle in same}
    assert plugins == {bundle.name: bundle.digest for bundle in others}
    assert staging_of(config) == []
    assert not (config / "plugins/.plugport/lock").exists()


def shortened(argv: list[str]) -> list[str]:
    """The command, which waits for the lock for a second."""
    assert '"$tries" -ge 600' in argv[-1] or any('"$tries" -ge 600' in word for word in argv)
    return [word.replace('"$tries" -ge 600', '"$tries" -ge 10') for word in argv]


def lock_channel(name: str) -> CommandChannel:
    words = shell_words(name)
    return CommandChannel(lambda argv: [*words, *shortened(list(argv))])


async def held(config: Path, words: list[str]) -> asyncio.subprocess.Process:
    """Start an install that stops when it has the lock."""
    argv = script_command("install", str(config), "other", "0" * 64)
    argv[2] = argv[2].replace("\nsweep\nmake_stage", "\necho locked; read -r line\nsweep\nmake_stage")
    process = await asyncio.create_subprocess_exec(
        *words, *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert await process.stdout.readline() == b"locked\n"
    return process


@pytest.mark.skipif(not FOLDER_LOCKS, reason="only root can enter a root file system")
@pytest.mark.parametrize("name", ["busybox-debian", "busybox-static", "debian-dash", "toybox-dash"])
async def test_a_lock_is_respected_while_its_run_goes_on_and_broken_when_it_has_ended(config, tmp_path, name):
    bundle, channel = bundle_of(tmp_path, "p", {"a": b"1"}), lock_channel(name)
    process = await held(config, shell_words(name))
    with pytest.raises(errors.DeliveryFailed, match="another delivery holds the plugins directory"):
        await install(channel, str(config), bundle)
    process.kill()
    await process.wait()
    assert (await install(channel, str(config), bundle)).digest == bundle.digest
    assert not (config / "plugins/.plugport/lock").exists()


@pytest.mark.skipif(not FOLDER_LOCKS, reason="only root can enter a root file system")
@pytest.mark.parametrize(
    ("holder", "minutes", "broken"),
    [
        ("77.123.0000-elsewhere-1", 0, False),
        ("77.123.0000-elsewhere-1", 10, True),
        ("77.-.-", 0, False),
        ("77.-.-", 10, True),
        (None, 0, True),
    ],
)
async def test_the_lock_of_another_container_is_broken_after_minutes(config, tmp_path, holder, minutes, broken):
    lock = config / "plugins/.plugport/lock"
    lock.mkdir(parents=True)
    if holder is not None:
        (lock / holder).write_bytes(b"")
    then = lock.stat().st_mtime - minutes * 60
    os.utime(lock, (then, then))
    words = shell_words("busybox-static")
    channel = CommandChannel(lambda argv: [*words, *(argv if holder is None else shortened(list(argv)))])
    bundle = bundle_of(tmp_path, "p", {"a": b"1"})
    if broken:
        await install(channel, str(config), bundle)
        assert not lock.exists()
    else:
        with pytest.raises(errors.DeliveryFailed, match=holder):
            await install(channel, str(config), bundle)
        assert (lock / holder).exists()
    assert NAMES
