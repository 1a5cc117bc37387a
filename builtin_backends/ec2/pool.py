"""Pools SSH connections: one per instance, closed when idle, and at most as many per endpoint as AWS allows."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

import asyncssh

from ...hookspecs.errors import BackendUnavailable
from ..keyed_lock import KeyedLock
from .connector import ConnectionTarget, Connector, SshConnection

CHANNELS: Final = 8
"""Concurrent commands per connection; sshd's default `MaxSessions` is 10."""
PER_ENDPOINT: Final = 20
"""Concurrent connections that AWS allows per endpoint."""
IDLE_SECONDS: Final = 60.0
MAX_AGE_SECONDS: Final = 3300.0
"""AWS ends a tunnel after an hour. A connection close to that age takes no further command."""
_CLOSE_SECONDS = 5.0
_SESSION_RETRY_SECONDS: Final = (0.05, 0.2, 0.5, 1.0)
"""An sshd that has just ended its only session may take a moment to allow the next one."""


class _PooledConnection:
    """One connection. `users` counts the callers that hold it, `running` the commands that run over it.

    At most `limit` commands run at once; it falls if the instance allows fewer.
    """

    def __init__(self, connection: SshConnection, endpoint: str | None) -> None:
        self.connection, self.endpoint = connection, endpoint
        self.users, self.running, self.limit = 0, 0, CHANNELS
        self.opened_at = self.used_at = time.monotonic()
        self.idle_timer: asyncio.TimerHandle | None = None
        self._ended = asyncio.Condition()

    @property
    def usable(self) -> bool:
        return not self.connection.is_closed() and time.monotonic() - self.opened_at < MAX_AGE_SECONDS

    @contextlib.asynccontextmanager
    async def session(self, command: str) -> AsyncIterator[asyncssh.SSHClientProcess[bytes]]:
        """Run a command, as soon as fewer than `limit` run. Raises asyncssh's errors if it cannot be started."""
        process = await self._start(command)
        try:
            yield process
        finally:
            process.close()
            await asyncio.shield(self._release())

    async def _start(self, command: str) -> asyncssh.SSHClientProcess[bytes]:
        delays = iter(_SESSION_RETRY_SECONDS)
        while True:
            async with self._ended:
                await self._ended.wait_for(lambda: self.running < self.limit)
                self.running += 1
            try:
                return await self.connection.create_process(command)
            except asyncssh.ChannelOpenError:
                others = self.running - 1
                await self._release()
                if others > 0 and not self.connection.is_closed():
                    self.limit = min(self.limit, others)
                elif self.connection.is_closed() or (seconds := next(delays, None)) is None:
                    raise
                else:
                    await asyncio.sleep(seconds)
            except BaseException:
                await self._release()
                raise

    async def _release(self) -> None:
        async with self._ended:
            self.running -= 1
            self._ended.notify_all()

    def close(self) -> None:
        if self.idle_timer is not None:
            self.idle_timer.cancel()
        self.connection.close()

    async def wait_closed(self) -> None:
        """Close the connection and wait for its end, for at most `_CLOSE_SECONDS`."""
        self.close()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.connection.wait_closed(), _CLOSE_SECONDS)


class ConnectionPool:
    """Holds at most one connection per target. A lost or old one is replaced, an idle one is closed."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._connections: dict[ConnectionTarget, _PooledConnection] = {}
        self._retired: set[_PooledConnection] = set()
        self._opening = KeyedLock()
        self._connecting: Counter[str] = Counter()
        self._slot_freed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def process(
        self, target: ConnectionTarget, command: str
    ) -> AsyncIterator[asyncssh.SSHClientProcess[bytes]]:
        """Start a command on the instance. Its channel is closed at the end of the context.

        A pooled connection that proves dead before the command has started is replaced. Raises what the connector
        raises, and `BackendUnavailable` if the command cannot be started.
        """
        async with contextlib.AsyncExitStack() as stack:
            yield await self._start(target, command, stack)

    async def close(self) -> None:
        """Close every connection, and wait for their ends."""
        pooled = [*self._connections.values(), *self._retired]
        self._connections.clear()
        self._retired.clear()
        await asyncio.gather(*(connection.wait_closed() for connection in pooled))

    async def _start(
        self, target: ConnectionTarget, command: str, stack: contextlib.AsyncExitStack
    ) -> asyncssh.SSHClientProcess[bytes]:
        while True:
            pooled, is_new = await self._acquire(target)
            stack.push_async_callback(self._give_back, target, pooled)
            try:
                return await stack.enter_async_context(pooled.session(command))
            except (asyncssh.Error, OSError) as error:
                self._retire(target, pooled)
                if is_new:
                    reason = f"{target.instance_id}: no command could be started: {error}"
                    raise BackendUnavailable(reason) from error

    async def _acquire(self, target: ConnectionTarget) -> tuple[_PooledConnection, bool]:
        """Return the connection, with the caller counted as a user, and whether it is new."""
        async with self._opening.acquire(target):
            pooled = self._connections.get(target)
            if pooled is not None and not pooled.usable:
                self._retire(target, pooled)
                pooled = None
            if pooled is None:
                return await self._open(target), True
            pooled.users += 1
            if pooled.idle_timer is not None:
                pooled.idle_timer.cancel()
            return pooled, False

    async def _give_back(self, target: ConnectionTarget, pooled: _PooledConnection) -> None:
        pooled.users -= 1
        pooled.used_at = time.monotonic()
        if pooled.users == 0:
            if self._connections.get(target) is pooled and pooled.usable:
                pooled.idle_timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._retire, target, pooled)
            else:
                self._retire(target, pooled)
        self._slot_freed.set()

    async def _open(self, target: ConnectionTarget) -> _PooledConnection:
        """Return a new connection, with the caller counted as a user."""
        route = await self._connector.find_route(target)
        endpoint = None if route.endpoint is None else route.endpoint.id
        async with self._endpoint_slot(endpoint):
            pooled = _PooledConnection(await self._connector.connect(route), endpoint)
            self._connections[target] = pooled
            pooled.users = 1
            return pooled

    @contextlib.asynccontextmanager
    async def _endpoint_slot(self, endpoint: str | None) -> AsyncIterator[None]:
        """Hold one of the endpoint's slots while a connection is opened.

        If all are taken, the connection that has been idle the longest is closed; if none is idle, wait for one.
        """
        if endpoint is None:
            yield
            return
        idle: list[ConnectionTarget] = []
        while self._count(endpoint) >= PER_ENDPOINT:
            idle = [
                target
                for target, pooled in self._connections.items()
                if pooled.endpoint == endpoint and pooled.users == 0
            ]
            if idle:
                break
            self._slot_freed.clear()
            await self._slot_freed.wait()
        self._connecting[endpoint] += 1
        try:
            if idle:
                oldest = min(idle, key=lambda target: self._connections[target].used_at)
                await self._connections.pop(oldest).wait_closed()
            yield
        finally:
            self._connecting[endpoint] -= 1
            self._slot_freed.set()

    def _count(self, endpoint: str) -> int:
        """Count the endpoint's connections: those that are open and those that are being opened."""
        pooled = (*self._connections.values(), *self._retired)
        is_open = (item.endpoint == endpoint and not item.connection.is_closed() for item in pooled)
        return self._connecting[endpoint] + sum(is_open)

    def _retire(self, target: ConnectionTarget, pooled: _PooledConnection) -> None:
        """Take the connection out of the pool; close it now, or when its last user gives it back."""
        if self._connections.get(target) is pooled:
            del self._connections[target]
        if pooled.users > 0:
            self._retired.add(pooled)
        else:
            self._retired.discard(pooled)
            pooled.close()
