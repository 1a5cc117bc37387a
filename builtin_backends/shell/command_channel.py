"""A channel that is a command on this machine: `sh` itself, or a command that carries another one to a target."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
from collections.abc import Callable, Collection, Sequence
from typing import BinaryIO

from ...hookspecs.errors import DeliveryFailed, DeliveryTimeout, UnsupportedTarget
from .channel import CHUNK, MAX_OUTPUT, NOT_READY, OUTPUT_TOO_LARGE, READY_SECONDS, Completed, Frame

_END_SECONDS = 1.0
"""How long standard error may go on after the answer."""


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

    async def run(self, argv: Sequence[str], stdin: BinaryIO | None = None, frame: Frame | None = None) -> Completed:
        """See `Channel.run`. Raises `UnsupportedTarget` if the command is not installed, and `DeliveryFailed` if the
        connection failed."""
        command = list(argv if self._wrap is None else self._wrap(argv))
        if self._wrap is None:  # nothing on this machine comes before the command
            frame = None
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=_child_stdin(stdin, frame),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise UnsupportedTarget(f"there is no {command[0]}") from error
        try:
            stdout, stderr, is_over = await _Exchange(process, stdin, frame).run()
        except BaseException:
            await _terminate(process)
            raise
        if is_over:
            await _end(process)
            return Completed(0, stdout, stderr)
        completed = Completed(process.returncode or 0, stdout, stderr)
        if completed.exit_code in self._broken:
            raise DeliveryFailed(completed.failure(command[0]))
        return completed


def _child_stdin(stdin: BinaryIO | None, frame: Frame | None) -> int | BinaryIO:
    """Return the child's standard input: nothing, the file itself if it may be read at once, or a pipe."""
    if stdin is None:
        return asyncio.subprocess.DEVNULL
    try:
        stdin.fileno()
    except (OSError, io.UnsupportedOperation):
        return asyncio.subprocess.PIPE
    return stdin if frame is None else asyncio.subprocess.PIPE


class _Exchange:
    """The input and the output of one command."""

    def __init__(self, process: asyncio.subprocess.Process, stdin: BinaryIO | None, frame: Frame | None) -> None:
        self._process, self._stdin, self._frame = process, stdin, frame
        self._started, self._ended = asyncio.Event(), False
        if frame is None:
            self._started.set()

    async def run(self) -> tuple[bytes, bytes, bool]:
        """Return standard output and error, and whether the frame is over; if not, the command has ended."""
        stderr = bytearray()
        errors = asyncio.create_task(self._read_errors(stderr))
        writing = asyncio.create_task(self._write())
        reading = asyncio.create_task(self._read())
        try:
            pending = {writing, reading}
            while reading in pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                if writing in done:
                    writing.result()
            stdout, is_over = reading.result()
            if is_over:
                await asyncio.wait({errors}, timeout=_END_SECONDS)
            else:
                await asyncio.gather(errors, writing, self._process.wait())
            return stdout, bytes(stderr), is_over
        finally:
            for task in (errors, writing, reading):
                task.cancel()

    async def _read(self) -> tuple[bytes, bool]:
        """Return standard output, and whether the frame was over before it ended."""
        output, frame = bytearray(), self._frame
        try:
            while self._process.stdout is not None and (chunk := await self._process.stdout.read(CHUNK)):
                output += chunk
                if len(output) > MAX_OUTPUT:
                    raise DeliveryFailed(OUTPUT_TOO_LARGE)
                if frame is not None and not self._started.is_set() and frame.is_ready(output):
                    self._started.set()
                if frame is not None and frame.is_over(output, len(chunk)):
                    return bytes(output), True
        finally:
            self._ended = True
            self._started.set()
        return bytes(output), False

    async def _read_errors(self, output: bytearray) -> None:
        while self._process.stderr is not None and (chunk := await self._process.stderr.read(CHUNK)):
            output += chunk

    async def _write(self) -> None:
        """Write a stream into the command's input when it is ready, then close that. A command may end earlier."""
        writer = self._process.stdin
        if self._stdin is None or writer is None:
            return
        try:
            await asyncio.wait_for(self._started.wait(), READY_SECONDS)
        except TimeoutError as error:
            raise DeliveryTimeout(NOT_READY) from error
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while not self._ended and (chunk := await asyncio.to_thread(self._stdin.read, CHUNK)):
                writer.write(chunk)
                await writer.drain()
        writer.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Wait a moment for a command that has answered; what still runs then is something else, and is ended."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _END_SECONDS)
    if process.returncode is None:
        await _terminate(process)


async def _terminate(process: asyncio.subprocess.Process) -> None:
    """Send SIGTERM, so that the command cleans up, then SIGKILL. On a busy machine a clean-up may take seconds."""
    for number, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)
            return
