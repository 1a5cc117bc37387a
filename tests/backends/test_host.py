"""The backend host: every promise of a delivery, on a directory of this machine, under more than one shell."""

from __future__ import annotations

import asyncio
import importlib
import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.delivered import plugins_in, staging_of, tree
from support.mounts import tmpfs
from support.shells import with_shell
from support.tools import need_tool

from plugport.builtin_backends.host import HostBackend
from plugport.builtin_backends.shell import CommandChannel, ShellTarget
from plugport.builtin_backends.shell.install import install
from plugport.builtin_backends.shell.plugin_list import list_installed
from plugport.builtin_backends.shell.script import script_command, script_text
from plugport.builtin_backends.shell.uninstall import uninstall
from plugport.hookspecs import Removal, RunState, Workspace, errors
from plugport.hookspecs.conformance import bundle_of

ROOT = os.geteuid() == 0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / 'config dir\'s "place"'
    folder.mkdir()
    return folder


ODD = {
    "plugin.yaml": b"name: p\n",
    "a b/c'd\"e.md": b"odd",
    "-dash": b"dash",
    "$(touch x)/`y`": b"shell",
    "\u00e9\u4e2d.md": b"unicode",
    ".hidden/deep/er": b"hidden",
    "empty": b"",
    "run.sh": b"#!/bin/sh\n",
}


async def test_what_is_installed_is_the_bundle_byte_for_byte(channel, config, tmp_path):
    bundle = bundle_of(tmp_path, "p", ODD, frozenset({"run.sh"}))
    receipt = await install(channel, str(config), bundle)
    assert receipt.digest == bundle.digest
    assert tree(config / "plugins" / "p") == ODD
    line = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum"
    hashed = await asyncio.to_thread(
        subprocess.run, line, shell=True, cwd=config / "plugins/p", capture_output=True, text=True, check=True
    )
    assert hashed.stdout.split()[0] == bundle.digest.removeprefix("sha256:")
    assert oct((config / "plugins/p/run.sh").stat().st_mode & 0o7777) == "0o755"
    assert oct((config / "plugins/p/empty").stat().st_mode & 0o7777) == "0o644"
    for path in [config / "plugins/p", *(config / "plugins/p").rglob("*")]:
        assert path.stat().st_uid == (1000 if ROOT else os.geteuid())
        assert not path.is_symlink()
        if path.is_dir():
            assert oct(path.stat().st_mode & 0o7777) == "0o755"
    assert plugins_in(config) == ["p"]


async def test_an_update_leaves_no_stale_file_and_repairs_what_was_changed(channel, config, tmp_path):
    await install(channel, str(config), bundle_of(tmp_path / "1", "p", {"old": b"1", "both": b"1"}))
    new = bundle_of(tmp_path / "2", "p", {"new": b"2", "both": b"2"})
    await install(channel, str(config), new)
    assert tree(config / "plugins/p") == {"new": b"2", "both": b"2"}
    (config / "plugins/p/both").write_bytes(b"changed")
    (config / "plugins/p/new").chmod(0o600)
    await install(channel, str(config), new)
    assert tree(config / "plugins/p") == {"new": b"2", "both": b"2"}
    assert oct((config / "plugins/p/new").stat().st_mode & 0o7777) == "0o644"


@pytest.mark.parametrize("kind", ["file", "link"])
async def test_something_else_in_the_plugins_place_is_replaced(channel, config, tmp_path, kind):
    (config / "plugins").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("keep")
    if kind == "file":
        (config / "plugins/p").write_text("a file")
    else:
        (config / "plugins/p").symlink_to(outside)
    await install(channel, str(config), bundle_of(tmp_path, "p", {"a": b"1"}))
    assert tree(config / "plugins/p") == {"a": b"1"}
    assert not (config / "plugins/p").is_symlink()
    assert tree(outside) == {"keep": b"keep"}


class CutChannel(CommandChannel):
    """A channel whose line is cut after some bytes."""

    def __init__(self, shell: list[str], cut: int) -> None:
        super().__init__(lambda argv: [*shell, *argv])
        self._cut = cut

    async def run(self, argv, stdin=None):
        return await super().run(argv, io.BytesIO(stdin.read(self._cut)) if stdin else None)


@pytest.mark.parametrize("part", [0.0, 0.2, 0.5, 0.9])
async def test_a_cut_stream_leaves_the_old_version_whole(shell, part, config, tmp_path):
    old = {"a": b"old" * 3000, "b": b"old"}
    await install(with_shell(shell), str(config), bundle_of(tmp_path / "1", "p", old))
    new = bundle_of(tmp_path / "2", "p", dict.fromkeys("abcdef", b"new" * 3000))
    size = new.archive.stat().st_size
    boundary = int(size * part) // 512 * 512  # tar exits 0 on a stream that ends between two members
    for cut in (int(size * part), boundary):
        with pytest.raises(errors.DeliveryFailed):
            await install(CutChannel(shell, cut), str(config), new)  # type: ignore[arg-type]
        assert tree(config / "plugins/p") == old
        assert plugins_in(config) == ["p"]


async def test_a_killed_install_leaves_the_old_version_and_the_next_one_cleans_up(config, tmp_path):
    channel = CommandChannel()
    old = {"a": b"old"}
    await install(channel, str(config), bundle_of(tmp_path / "1", "p", old))
    new = bundle_of(tmp_path / "2", "p", {"a": b"new" * 10})
    argv = script_command("install", str(config), "p", new.digest.removeprefix("sha256:"))
    process = await asyncio.create_subprocess_exec(*argv, stdin=asyncio.subprocess.PIPE, start_new_session=True)
    while not staging_of(config):
        await asyncio.sleep(0.005)
    os.killpg(process.pid, 9)
    await process.wait()
    assert tree(config / "plugins/p") == old
    assert len(staging_of(config)) == 1
    await install(channel, str(config), new)
    assert plugins_in(config) == ["p"]


async def test_an_install_whose_reader_is_gone_cleans_up(shell, config, tmp_path):
    bundle = bundle_of(tmp_path, "p", {"a": b"x" * 1_000_000})
    argv = script_command("install", str(config), "p", bundle.digest.removeprefix("sha256:"))
    read, write = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *shell, *argv, stdin=asyncio.subprocess.PIPE, stdout=write, stderr=write, start_new_session=True
    )
    os.close(write)
    process.stdin.write(bundle.archive.read_bytes()[:200_000])
    await process.stdin.drain()
    while not list((config / "plugins/.plugport/staging").glob("*/new/a")):
        await asyncio.sleep(0.005)
    os.close(read)
    os.killpg(process.pid, 15)
    await process.wait()
    assert plugins_in(config) == []


async def test_a_version_that_a_crash_left_aside_comes_back_at_the_next_contact(channel, config, tmp_path):
    await install(channel, str(config), bundle_of(tmp_path / "1", "p", {"a": b"1"}))
    (config / "plugins/p").rename(config / "plugins/.old-p")
    plugins = await list_installed(channel, str(config))
    assert [plugin.name for plugin in plugins] == ["p"]
    (config / "plugins/p").rename(config / "plugins/.old-p")
    await install(channel, str(config), bundle_of(tmp_path / "2", "q", {"a": b"1"}))
    assert plugins_in(config) == ["p", "q"]


@pytest.mark.parametrize("seconds", [0, 1.5])
async def test_a_cancelled_delivery_ends_its_shell_and_cleans_up(config, tmp_path, monkeypatch, seconds):
    """Also on a machine that is so busy that its tools take seconds."""
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "rm").write_text(f'#!/bin/sh\nsleep {seconds}\nexec {need_tool("rm")} "$@"\n')
    (slow / "rm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow}:{os.environ['PATH']}")
    read, write = os.pipe()

    class Stalled(CommandChannel):
        async def run(self, argv, stdin=None):
            with os.fdopen(read, "rb") as stalled:
                return await super().run(argv, stalled)

    bundle = bundle_of(tmp_path, "p", {"a": b"1"})
    task = asyncio.create_task(install(Stalled(), str(config), bundle))  # type: ignore[arg-type]
    while not staging_of(config):
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    os.close(write)
    assert plugins_in(config) == []


@pytest.mark.skipif(not ROOT, reason="only root can mount a small file system")
async def test_a_full_disk_leaves_the_old_version_whole(channel, tmp_path):
    small = tmp_path / "small"
    with tmpfs(small, "size=1m"):
        old = {"a": b"old"}
        await install(channel, str(small), bundle_of(tmp_path / "1", "p", old))
        with pytest.raises(errors.DeliveryFailed) as caught:
            await install(channel, str(small), bundle_of(tmp_path / "2", "p", {"a": b"x" * 2_000_000}))
        assert "tar" in caught.value.reason
        assert tree(small / "plugins/p") == old
        assert plugins_in(small) == ["p"]


async def test_a_reader_never_misses_the_plugin_while_it_is_replaced(config, tmp_path):
    channel = CommandChannel()
    versions = [bundle_of(tmp_path / str(index), "p", {"a": b"%d" % index}) for index in range(2)]
    await install(channel, str(config), versions[0])
    stop, missing, reads = threading.Event(), [], 0

    def read():
        nonlocal reads
        while not stop.is_set():
            try:
                assert (config / "plugins/p/a").read_bytes() in {b"0", b"1"}
            except FileNotFoundError:
                missing.append(1)
            reads += 1

    reader = threading.Thread(target=read)
    reader.start()
    for index in range(10):
        await install(channel, str(config), versions[index % 2])
    stop.set()
    await asyncio.to_thread(reader.join)
    assert reads > 100
    assert missing == []


async def test_a_missing_config_dir_or_tool_is_a_typed_error(channel, tmp_path):
    bundle = bundle_of(tmp_path, "p", {"a": b"1"})
    with pytest.raises(errors.DeliveryFailed):
        await install(channel, str(tmp_path / "absent"), bundle)

    with pytest.raises(errors.UnsupportedTarget):
        await install(CommandChannel(lambda argv: ["/nonexistent/sh", *argv[1:]]), str(tmp_path), bundle)
    with pytest.raises(errors.DeliveryFailed, match="sh exited with 255: no route"):
        await install(CommandChannel(lambda argv: ["sh", "-c", "echo no route >&2; exit 255"], [255]), "/", bundle)


@pytest.mark.parametrize("openssl", ["real", "absent", "lying", "failing"])
async def test_a_large_plugin_is_read_back_whatever_openssl_does(config, tmp_path, openssl, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    if openssl == "absent":
        needed = ["sh", "find", "sort", "xargs", "sha256sum", "tar", "mktemp", "mkdir", "flock", "sed", "ls", "id"]
        for tool in [*needed, "chmod", "chown", "rm", "mv", "head", "uname", "perl"]:
            (tools / tool).symlink_to(need_tool(tool))
        monkeypatch.setenv("PATH", str(tools))
    elif openssl != "real":
        body = "exit 1" if openssl == "failing" else 'for file; do echo "00 *$file"; done'
        (tools / "openssl").write_text(f"#!/bin/sh\n{body}\n")
        (tools / "openssl").chmod(0o755)
        monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    bundle = bundle_of(tmp_path, "p", {**ODD, "big": b"x" * 9_000_000})
    assert (await install(CommandChannel(), str(config), bundle)).digest == bundle.digest
    assert tree(config / "plugins/p")["big"] == b"x" * 9_000_000


async def test_openssl_cannot_pass_what_is_not_there(config, tmp_path):
    bundle = bundle_of(tmp_path, "p", {"a": b"x" * 512 * 20_000, "b": b"1"})
    with pytest.raises(errors.DeliveryFailed, match="the digest is"):  # tar accepts a cut between two members
        await install(CutChannel([], 512 * 20_001), str(config), bundle)  # type: ignore[arg-type]


async def test_plugins_are_listed_with_digest_and_manifest(channel, config, tmp_path):
    first = bundle_of(tmp_path / "1", "p", ODD)
    second = bundle_of(tmp_path / "2", "q", {"only": b"1"})
    assert await list_installed(channel, str(config)) == []
    for bundle in (first, second):
        await install(channel, str(config), bundle)
    plugins = await list_installed(channel, str(config))
    assert [(plugin.name, plugin.digest, plugin.manifest) for plugin in plugins] == [
        ("p", first.digest, "name: p\n"),
        ("q", second.digest, None),
    ]


async def test_a_file_whose_name_is_no_utf8_is_listed_with_the_digest_that_the_tools_print(channel, config, tmp_path):
    await install(channel, str(config), bundle_of(tmp_path, "p", {"a": b"1"}))
    (config / "plugins/p" / os.fsdecode(b"odd-\xff")).write_bytes(b"2")
    line = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum"
    hashed = await asyncio.to_thread(
        subprocess.run, line, shell=True, cwd=config / "plugins/p", capture_output=True, text=True, check=True
    )
    (plugin,) = await list_installed(channel, str(config))
    assert plugin.digest == f"sha256:{hashed.stdout.split()[0]}"


def test_the_old_name_of_the_package_still_works_and_warns():
    sys.modules.pop("plugport.builtin_backends.target", None)
    with pytest.warns(DeprecationWarning, match="is now plugport.builtin_backends.shell"):
        target = importlib.import_module("plugport.builtin_backends.target")
    assert (target.ShellTarget, target.CommandChannel) == (ShellTarget, CommandChannel)


async def test_an_uninstall_that_has_nothing_to_do_is_fine(channel, config):
    receipt = await uninstall(channel, str(config), Removal("absent"))
    assert (receipt.digest, receipt.left) == (None, ())
    assert os.listdir(config) == []


async def test_a_workspace_without_its_directory_is_stopped(tmp_path):
    backend = HostBackend()

    def state(path):
        return backend.is_running(Workspace("w", options={"path": path} if path else {}))

    assert state(str(tmp_path)) == RunState.RUNNING
    assert state(str(tmp_path / "absent")) == RunState.STOPPED
    assert state("relative") == RunState.STOPPED
    assert state(None) == RunState.STOPPED
    (tmp_path / "file").write_text("")
    assert state(str(tmp_path / "file")) == RunState.STOPPED
    assert state(str(tmp_path / ("x" * 300))).kind == "unknown"


def test_the_scripts_are_clean(tmp_path):
    folder = Path(__file__).parents[2] / "builtin_backends/shell/scripts"
    names = sorted(path.stem for path in folder.glob("*.sh"))
    assert len(names) == 12
    for name in names:
        (tmp_path / name).write_text(script_text(name))
    checked = [str(tmp_path / name) for name in names if name not in {"locking", "keeping"}]  # those begin others
    subprocess.run([need_tool("shellcheck"), "--shell=sh", *checked], check=True)
