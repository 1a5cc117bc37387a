"""Runs commands on an instance, over its pooled connection."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Awaitable, Sequence
from typing import BinaryIO, Final, TypeVar

import asyncssh

from ...hookspecs.errors import DeliveryFailed, DeliveryTimeout
from ..shell.channel import CHUNK, MAX_OUTPUT, OUTPUT_TOO_LARGE, Completed
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

    async def run(self, argv: Sequence[str], stdin: BinaryIO | None = None) -> Completed:
        """See `Channel.run`. A command whose connection breaks counts as failed, and is not repeated.

        Raises `BackendUnavailable`, `WorkspaceNotRunning` and `HostKeyMismatch` before the command has started, and
        `DeliveryFailed` (the connection broke) or `DeliveryTimeout` (it stalled) after that.
        """
        command = shlex.join([*self._prefix, *argv])
        async with self._pool.process(self._target, command) as process:
            try:
                return await _Exec(process, stdin, self._stall_seconds).wait()
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
        self, process: asyncssh.SSHClientProcess[bytes], stdin: BinaryIO | None, stall_seconds: float
    ) -> None:
        self._process, self._stdin, self._stall_seconds = process, stdin, stall_seconds
        self._output_bytes = 0
        self._progress = asyncio.Event()

    async def wait(self) -> Completed:
        transfer = asyncio.gather(self._write(), self._read(self._process.stdout), self._read(self._process.stderr))
        try:
            _, stdout, stderr = await self._unless_stalled(transfer)
        finally:
            transfer.cancel()
        await self._unless_stalled(self._process.wait_closed())
        if self._process.exit_status is None:
            raise DeliveryFailed("the connection broke, or the command was killed, before it returned an exit code")
        return Completed(self._process.exit_status, stdout, stderr)

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
        """Write the input, then close it. A command may end earlier; its exit code is the answer."""
        writer = self._process.stdin
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while self._stdin is not None and (chunk := await asyncio.to_thread(self._stdin.read, CHUNK)):
                writer.write(chunk)
                await writer.drain()
                self._progress.set()
            writer.write_eof()

    async def _read(self, reader: asyncssh.SSHReader[bytes]) -> bytes:
        output = bytearray()
        while chunk := await reader.read(CHUNK):
            output += chunk
            self._output_bytes += len(chunk)
            self._progress.set()
            if self._output_bytes > MAX_OUTPUT:
                raise DeliveryFailed(OUTPUT_TOO_LARGE)
        return bytes(output)
