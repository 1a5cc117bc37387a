"""Commands on an instance, over its kept connection."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Awaitable, Sequence
from typing import BinaryIO, Final, TypeVar

import asyncssh

from ...hookspecs.errors import DeliveryFailed, DeliveryTimeout
from ..shell.channel import Completed
from .connector import Way
from .pool import Connections

CHUNK: Final = 1 << 18
"""Bytes that are written at once: smaller ones cost time, larger ones memory."""
_MOST_OUTPUT = 64 * 1024 * 1024
_T = TypeVar("_T")
_LINE: Final = (asyncssh.Error, OSError, asyncio.IncompleteReadError)


class SshChannel:
    """Runs commands on one instance, each word quoted for the login shell.

    `before` are words that stand before each command's own. `stall` is how many seconds may pass without a byte in
    either direction: a deadline on progress, whatever the size of the whole.
    """

    def __init__(self, connections: Connections, way: Way, before: Sequence[str], stall: float) -> None:
        self._connections, self._way, self._before, self._stall = connections, way, before, stall

    async def run(self, argv: Sequence[str], stdin: BinaryIO | None = None) -> Completed:
        """See `Channel.run`. A line that is cut is never taken for a command that ended, nor is the command repeated.

        Raises `BackendUnavailable`, `WorkspaceNotRunning`, `HostKeyMismatch` before the command has begun, and
        `DeliveryFailed` (the line broke) or `DeliveryTimeout` (it stalled) after that.
        """
        command = shlex.join([*self._before, *argv])
        async with self._connections.process(self._way, command) as process:
            try:
                return await _Running(process, stdin, self._stall).to_its_end()
            except _LINE as error:
                reason = f"the line to {self._way.instance_id} broke: {type(error).__name__}: {error}"
                raise DeliveryFailed(reason) from error
            except BaseException:
                with contextlib.suppress(*_LINE):
                    process.terminate()
                raise


class _Running:
    """A command under way: it is read while it is written to, and each step shows that the line lives."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes], stdin: BinaryIO | None, stall: float) -> None:
        self._process, self._stdin, self._stall = process, stdin, stall
        self._said = 0
        self._alive = asyncio.Event()

    async def to_its_end(self) -> Completed:
        work = asyncio.gather(self._write(), self._read(self._process.stdout), self._read(self._process.stderr))
        try:
            _, out, err = await self._while_it_lives(work)
        finally:
            work.cancel()
        await self._while_it_lives(self._process.wait_closed())
        if self._process.exit_status is None:
            raise DeliveryFailed("the line broke, or the command was killed, before it said how it ended")
        return Completed(self._process.exit_status, out, err)

    async def _while_it_lives(self, work: Awaitable[_T]) -> _T:
        """The result. Raises `DeliveryTimeout` when nothing has moved for `stall` seconds."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                self._alive.clear()
                moved = asyncio.create_task(self._alive.wait())
                done, _ = await asyncio.wait({task, moved}, timeout=self._stall, return_when=asyncio.FIRST_COMPLETED)
                moved.cancel()
                if not done:
                    raise DeliveryTimeout(f"nothing has moved for {self._stall:g} s")
            return task.result()
        finally:
            task.cancel()

    async def _write(self) -> None:
        """Write the input, then say that it is over. A command that ends early is an answer, too."""
        writer = self._process.stdin
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while self._stdin is not None and (chunk := await asyncio.to_thread(self._stdin.read, CHUNK)):
                writer.write(chunk)
                await writer.drain()
                self._alive.set()
            writer.write_eof()

    async def _read(self, reader: asyncssh.SSHReader[bytes]) -> bytes:
        found = bytearray()
        while chunk := await reader.read(CHUNK):
            found += chunk
            self._said += len(chunk)
            self._alive.set()
            if self._said > _MOST_OUTPUT:
                raise DeliveryFailed("the command says more than anybody wants to read")
        return bytes(found)
