"""A channel that is a command on this machine: `sh` itself, or a command that carries another one to a target."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
from collections.abc import Callable, Collection, Sequence
from typing import BinaryIO

from ...hookspecs.errors import DeliveryFailed, UnsupportedTarget
from .channel import CHUNK, Completed


class CommandChannel:
    """Runs `wrap(argv)` on this machine, each command in a session of its own, so that it ends with its children.

    `wrap` returns the command that carries another one to the target, such as
    `["kubectl", "exec", "-i", pod, "--", *argv]` or `["ssh", host, shlex.join(argv)]`; without `wrap` the command
    runs on this machine. The carrying command must pass on standard input, output and the exit code. `broken` are the
    exit codes by which it reports that the connection failed (255 of ssh).
    """

    def __init__(
        self, wrap: Callable[[Sequence[str]], Sequence[str]] | None = None, broken: Collection[int] = ()
    ) -> None:
        self._wrap, self._broken = wrap, frozenset(broken)

    async def run(self, argv: Sequence[str], stdin: BinaryIO | None = None) -> Completed:
        """See `Channel.run`. Raises `UnsupportedTarget` if the command is not installed, and `DeliveryFailed` if the
        connection failed."""
        command = list(argv if self._wrap is None else self._wrap(argv))
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=_child_stdin(stdin),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise UnsupportedTarget(f"there is no {command[0]}") from error
        try:
            (stdout, stderr), _ = await asyncio.gather(_read_output(process), _write_input(process, stdin))
        except BaseException:
            await _terminate(process)
            raise
        completed = Completed(process.returncode or 0, stdout, stderr)
        if completed.exit_code in self._broken:
            raise DeliveryFailed(completed.failure(command[0]))
        return completed


def _child_stdin(stdin: BinaryIO | None) -> int | BinaryIO:
    """Return the child's standard input: nothing, the file itself if it has a descriptor, or a pipe."""
    if stdin is None:
        return asyncio.subprocess.DEVNULL
    try:
        stdin.fileno()
    except (OSError, io.UnsupportedOperation):
        return asyncio.subprocess.PIPE
    return stdin


async def _write_input(process: asyncio.subprocess.Process, stdin: BinaryIO | None) -> None:
    """Write a stream without a descriptor into the command's input, then close that. A command may end earlier."""
    writer = process.stdin
    if stdin is None or writer is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while chunk := await asyncio.to_thread(stdin.read, CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def _read_output(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """Read the output until the command has ended. (`communicate` would close the input under `_write_input`.)"""
    if process.stdout is None or process.stderr is None:
        return b"", b""
    stdout, stderr = await asyncio.gather(process.stdout.read(), process.stderr.read())
    await process.wait()
    return stdout, stderr


async def _terminate(process: asyncio.subprocess.Process) -> None:
    """Send SIGTERM, so that the command cleans up, then SIGKILL. On a busy machine a clean-up may take seconds."""
    for number, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)
            return
