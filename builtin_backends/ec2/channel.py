"""Runs commands on an instance, over its pooled connection."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any, BinaryIO, Final, TypeVar

import asyncssh

from ...hookspecs.errors import DeliveryFailed, DeliveryTimeout
from ..shell.channel import CHUNK, MAX_OUTPUT, NOT_READY, OUTPUT_TOO_LARGE, READY_SECONDS, Completed, Frame
from .connector import ConnectionTarget
from .pool import ConnectionPool

_T = TypeVar("_T")
_CONNECTION_ERRORS: Final = (asyncssh.Error, OSError, asyncio.IncompleteReadError)


class SshChannel:
    """Runs commands on one instance, each word quoted for the login shell.

    `prefix` are words to put before each command. `stall_seconds` is the longest time without a byte in either
    direction: a deadline on progress, independent of the size.
    """

    def __init__(
        self, pool: ConnectionPool, target: ConnectionTarget, prefix: Sequence[str], stall_seconds: float
    ) -> None:
        self._pool, self._target, self._prefix, self._stall_seconds = pool, target, prefix, stall_seconds

    async def run(self, argv: Sequence[str], stdin: BinaryIO | None = None, frame: Frame | None = None) -> Completed:
        """See `Channel.run`. A command whose connection breaks counts as failed, and is not repeated.

        Raises `BackendUnavailable`, `WorkspaceNotRunning` and `HostKeyMismatch` before the command has started, and
        `DeliveryFailed` (the connection broke) or `DeliveryTimeout` (it stalled) after that.
        """
        first, *rest = [*self._prefix, *argv]
        command = shlex.join(["/bin/sh" if first == "sh" else first, *rest])  # whatever the login's PATH is
        async with self._pool.process(self._target, command) as process:
            try:
                return await _Exec(process, stdin, frame, self._stall_seconds).wait()
            except _CONNECTION_ERRORS as error:
                reason = f"the connection to {self._target.instance_id} broke: {type(error).__name__}: {error}"
                raise DeliveryFailed(reason) from error
            except BaseException:
                with contextlib.suppress(*_CONNECTION_ERRORS):
                    process.terminate()
                raise


class _Exec:
    """A command that runs: its input is written while its output is read, and every chunk resets the stall timer."""

    def __init__(
        self,
        process: asyncssh.SSHClientProcess[bytes],
        stdin: BinaryIO | None,
        frame: Frame | None,
        stall_seconds: float,
    ) -> None:
        self._process, self._stdin, self._frame, self._stall_seconds = process, stdin, frame, stall_seconds
        self._stdout, self._stderr = bytearray(), bytearray()
        self._ended = False
        self._progress, self._started, self._answered = asyncio.Event(), asyncio.Event(), asyncio.Event()
        if frame is None:
            self._started.set()

    async def wait(self) -> Completed:
        transfer = asyncio.gather(self._write(), self._read_output(), self._read_errors())
        transfer.add_done_callback(lambda done: done.cancelled() or done.exception())  # also if nothing awaits it now
        answered = asyncio.ensure_future(self._answered.wait())
        try:
            await self._unless_stalled(_first(transfer, answered))
        finally:
            transfer.cancel()
            answered.cancel()
        if self._answered.is_set():  # what still runs there is something else
            return Completed(0, bytes(self._stdout), bytes(self._stderr))
        await self._unless_stalled(self._process.wait_closed())
        if self._process.exit_status is None:
            raise DeliveryFailed("the connection broke, or the command was killed, before it returned an exit code")
        return Completed(self._process.exit_status, bytes(self._stdout), bytes(self._stderr))

    async def _unless_stalled(self, awaitable: Awaitable[_T]) -> _T:
        """Return the result. Raises `DeliveryTimeout` after `stall_seconds` without progress."""
        task = asyncio.ensure_future(awaitable)
        try:
            while not task.done():
                self._progress.clear()
                progress = asyncio.create_task(self._progress.wait())
                done, _ = await asyncio.wait(
                    {task, progress}, timeout=self._stall_seconds, return_when=asyncio.FIRST_COMPLETED
                )
                progress.cancel()
                if not done:
                    raise DeliveryTimeout(f"no progress for {self._stall_seconds:g} s")
            return task.result()
        finally:
            task.cancel()

    async def _write(self) -> None:
        """Write the input when the command is ready, then close it. A command may end earlier; its exit code is the
        answer."""
        writer = self._process.stdin
        if self._stdin is not None:
            try:
                await asyncio.wait_for(self._started.wait(), READY_SECONDS)
            except TimeoutError as error:
                raise DeliveryTimeout(NOT_READY) from error
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while (
                self._stdin is not None
                and not self._ended
                and (chunk := await asyncio.to_thread(self._stdin.read, CHUNK))
            ):
                writer.write(chunk)
                await writer.drain()
                self._progress.set()
            writer.write_eof()

    async def _read_output(self) -> None:
        frame = self._frame
        try:
            async for size in self._chunks(self._process.stdout, self._stdout):
                if frame is not None and not self._started.is_set() and frame.is_ready(self._stdout):
                    self._started.set()
                if frame is not None and frame.is_over(self._stdout, size):
                    self._answered.set()
                    return
        finally:
            self._ended = True
            self._started.set()

    async def _read_errors(self) -> None:
        async for _ in self._chunks(self._process.stderr, self._stderr):
            pass

    async def _chunks(self, reader: asyncssh.SSHReader[bytes], output: bytearray) -> AsyncIterator[int]:
        """Append what is read to the output, and yield the size of each chunk."""
        while chunk := await reader.read(CHUNK):
            output += chunk
            self._progress.set()
            if len(self._stdout) + len(self._stderr) > MAX_OUTPUT:
                raise DeliveryFailed(OUTPUT_TOO_LARGE)
            yield len(chunk)


async def _first(transfer: asyncio.Future[Any], answered: asyncio.Future[Any]) -> None:
    """Wait until one of them is done. Raises what `transfer` raises."""
    either: set[asyncio.Future[Any]] = {transfer, answered}
    done, _ = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if transfer in done:
        transfer.result()
