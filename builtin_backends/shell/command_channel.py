"""A channel that is a command on this machine: `sh` itself, or whatever carries a command elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
from collections.abc import Callable, Collection, Sequence
from typing import BinaryIO

from ...hookspecs.errors import DeliveryFailed, UnsupportedTarget
from .channel import Completed

_CHUNK = 1 << 18


class CommandChannel:
    """Runs `wrap(argv)` here, each in a session of its own, so that it is ended with all that it started.

    `wrap` makes the command that carries another one to the target, as `["kubectl", "exec", "-i", pod, "--", *argv]`
    or `["ssh", host, shlex.join(argv)]`; without it the command runs on this machine. It must hand on standard input,
    output and the exit code. `broken` are the exit codes by which it says that the way itself
    broke (255 of ssh).
    """

    def __init__(
        self, wrap: Callable[[Sequence[str]], Sequence[str]] | None = None, broken: Collection[int] = ()
    ) -> None:
        self._wrap, self._broken = wrap, frozenset(broken)

    async def run(self, argv: Sequence[str], stdin: BinaryIO | None = None) -> Completed:
        """See `Channel.run`. Raises `UnsupportedTarget` where the command is not there, `DeliveryFailed` where the
        way broke."""
        given, command = _given(stdin), list(argv if self._wrap is None else self._wrap(argv))
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=given,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise UnsupportedTarget(f"there is no {command[0]}") from error
        try:
            (stdout, stderr), _ = await asyncio.gather(_output(process), _feed(process, stdin))
        except BaseException:
            await _end(process)
            raise
        if process.returncode in self._broken:
            words = stderr[-2000:].decode("utf-8", "replace").strip()
            raise DeliveryFailed(f"{command[0]} exited with {process.returncode}: {words}")
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
