"""The backend `host`: a workspace that is a directory on this machine.

It is the embedded default, for the demo, for development and for tests, and keeps every promise of a delivery with
the same scripts that the other targets run.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from plugport.builtin_backends.target import install as installing
from plugport.builtin_backends.target import listing
from plugport.builtin_backends.target import uninstall as uninstalling
from plugport.builtin_backends.target.channel import Completed
from plugport.hookspecs import Bundle, InstalledPlugin, Receipt, Removal, RunState, Workspace, hookimpl
from plugport.hookspecs.errors import UnsupportedTarget, WorkspaceNotRunning

_CHUNK = 1 << 18


class LocalChannel:
    """Runs commands here, each in a session of its own, so that it is ended with all that it started."""

    async def run(self, argv: Sequence[str], stdin: BinaryIO | None = None) -> Completed:
        """See `Channel.run`. Raises `UnsupportedTarget` where there is no shell."""
        given = _given(stdin)
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=given,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise UnsupportedTarget(f"there is no {argv[0]}") from error
        try:
            (stdout, stderr), _ = await asyncio.gather(_output(process), _feed(process, stdin))
        except BaseException:
            await _end(process)
            raise
        return Completed(process.returncode or 0, stdout, stderr)


def _given(stdin: BinaryIO | None) -> int | BinaryIO:
    """What the child gets as its standard input: nothing, an open file as it is, or a pipe."""
    if stdin is None:
        return asyncio.subprocess.DEVNULL
    try:
        stdin.fileno()
    except (OSError, io.UnsupportedOperation):
        return asyncio.subprocess.PIPE
    return stdin


async def _feed(process: asyncio.subprocess.Process, stdin: BinaryIO | None) -> None:
    """Write a stream that is no file into the command's input, and end it. A command may end before that."""
    writer = process.stdin
    if stdin is None or writer is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while chunk := await asyncio.to_thread(stdin.read, _CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def _output(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """What it says, until it has ended. (`communicate` would close an input that somebody else still feeds.)"""
    if process.stdout is None or process.stderr is None:
        return b"", b""
    stdout, stderr = await asyncio.gather(process.stdout.read(), process.stderr.read())
    await process.wait()
    return stdout, stderr


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask the command to stop, so that it cleans up; then end it."""
    for number, seconds in ((signal.SIGTERM, 0.8), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)
            return


class HostBackend:
    """Delivers into `options["path"]`, the absolute path of the workspace's config dir."""

    backend = "host"

    def __init__(self) -> None:
        self._channel = LocalChannel()

    @hookimpl
    def is_running(self, workspace: Workspace) -> RunState:
        """RUNNING where the directory is there, STOPPED where it is not."""
        try:
            path = _config_dir(workspace)
            Path(path).stat()
        except (WorkspaceNotRunning, FileNotFoundError, NotADirectoryError):
            return RunState.STOPPED
        except OSError as error:
            return RunState.unknown(f"the directory cannot be looked at: {error}")
        return RunState.RUNNING if Path(path).is_dir() else RunState.STOPPED

    @hookimpl
    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        """Install the bundle there. Raises `WorkspaceNotRunning` where the directory is not there."""
        if await asyncio.to_thread(self.is_running, workspace) == RunState.STOPPED:
            raise WorkspaceNotRunning("the directory is not there")
        return await installing.install(self._channel, _config_dir(workspace), bundle)

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Take the plugin away."""
        return await uninstalling.uninstall(self._channel, _config_dir(workspace), removal)

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """What lies there."""
        return await listing.list_installed(self._channel, _config_dir(workspace))


def _config_dir(workspace: Workspace) -> str:
    """The workspace's own option. Raises `WorkspaceNotRunning` where it has none that can be used."""
    path = workspace.options.get("path")
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise WorkspaceNotRunning("the option `path` is not an absolute path")
    return path


provider = HostBackend()
