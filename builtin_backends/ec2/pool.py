"""Connections that are kept: one for an instance, closed when it idles, never more of an endpoint than AWS allows."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final, Protocol
from weakref import WeakValueDictionary

import asyncssh

from ...hookspecs.errors import BackendUnavailable
from .connector import Line, Route, Way

CHANNELS: Final = 8
"""Commands at once over one connection; sshd's default `MaxSessions` is 10."""
PER_ENDPOINT: Final = 20
"""Connections that AWS lets through one endpoint at once."""
IDLE_SECONDS: Final = 60.0
OLDEST_SECONDS: Final = 3300.0
"""AWS ends a tunnel after an hour; one that is about to be ended takes no further command."""
_CLOSING_SECONDS = 5.0
_SESSION_AGAIN: Final = (0.05, 0.2, 0.5, 1.0)
"""Seconds: an sshd that has just ended its only session may take a moment to allow the next."""


class Dialling(Protocol):
    """What makes connections."""

    async def route(self, way: Way) -> Route:
        """See `Dialler.route`."""

    async def connect(self, route: Route) -> Line:
        """See `Dialler.connect`."""


class _Kept:
    """One connection. `users` are the callers that hold it, `running` the commands that run over it, at most `limit`,
    which falls where the instance allows fewer."""

    def __init__(self, line: Line, endpoint: str | None) -> None:
        self.line, self.endpoint = line, endpoint
        self.users, self.running, self.limit = 0, 0, CHANNELS
        self.born = self.used = time.monotonic()
        self.idle: asyncio.TimerHandle | None = None
        self._freed = asyncio.Condition()

    @property
    def usable(self) -> bool:
        return not self.line.is_closed() and time.monotonic() - self.born < OLDEST_SECONDS

    @contextlib.asynccontextmanager
    async def session(self, command: str) -> AsyncIterator[asyncssh.SSHClientProcess[bytes]]:
        """A command, started when there is room for it. Raises asyncssh's errors where that cannot be."""
        process = await self._start(command)
        try:
            yield process
        finally:
            process.close()
            await asyncio.shield(self._ended())

    async def _start(self, command: str) -> asyncssh.SSHClientProcess[bytes]:
        delays = iter(_SESSION_AGAIN)
        while True:
            async with self._freed:
                await self._freed.wait_for(lambda: self.running < self.limit)
                self.running += 1
            try:
                return await self.line.create_process(command)
            except asyncssh.ChannelOpenError:
                others = self.running - 1
                await self._ended()
                if others > 0 and not self.line.is_closed():
                    self.limit = min(self.limit, others)
                elif self.line.is_closed() or (seconds := next(delays, None)) is None:
                    raise
                else:
                    await asyncio.sleep(seconds)
            except BaseException:
                await self._ended()
                raise

    async def _ended(self) -> None:
        async with self._freed:
            self.running -= 1
            self._freed.notify_all()


class Connections:
    """At most one connection for each way: made anew where it is lost or too old, closed when it idles."""

    def __init__(self, dialler: Dialling) -> None:
        self._dialler = dialler
        self._kept: dict[Way, _Kept] = {}
        self._retired: set[_Kept] = set()
        self._opening: WeakValueDictionary[Way, asyncio.Lock] = WeakValueDictionary()
        self._dialled: Counter[str] = Counter()
        self._room = asyncio.Event()

    @contextlib.asynccontextmanager
    async def process(self, way: Way, command: str) -> AsyncIterator[asyncssh.SSHClientProcess[bytes]]:
        """A command that was started on the instance. Its channel is closed with the context.

        A kept connection that turns out to be dead before the command has begun is replaced. Raises what dialling
        raises, and `BackendUnavailable` where the command cannot be started.
        """
        async with contextlib.AsyncExitStack() as stack:
            yield await self._started(way, command, stack)

    async def close(self) -> None:
        """Close every connection, and wait until each is."""
        every = [*self._kept.values(), *self._retired]
        self._kept.clear()
        self._retired.clear()
        await asyncio.gather(*(_closed(one) for one in every))

    async def _started(
        self, way: Way, command: str, stack: contextlib.AsyncExitStack
    ) -> asyncssh.SSHClientProcess[bytes]:
        while True:
            kept, fresh = await self._take(way)
            stack.push_async_callback(self._give_back, way, kept)
            try:
                return await stack.enter_async_context(kept.session(command))
            except (asyncssh.Error, OSError) as error:
                self._retire(way, kept)
                if fresh:
                    raise BackendUnavailable(f"{way.instance_id}: no command could be started: {error}") from error

    async def _take(self, way: Way) -> tuple[_Kept, bool]:
        """The connection, which counts the caller, and whether it is new."""
        lock = self._opening.setdefault(way, asyncio.Lock())
        async with lock:
            kept = self._kept.get(way)
            if kept is not None and not kept.usable:
                self._retire(way, kept)
                kept = None
            if kept is None:
                return await self._open(way), True
            kept.users += 1
            if kept.idle is not None:
                kept.idle.cancel()
            return kept, False

    async def _give_back(self, way: Way, kept: _Kept) -> None:
        kept.users -= 1
        kept.used = time.monotonic()
        if kept.users == 0:
            if self._kept.get(way) is kept and kept.usable:
                kept.idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._retire, way, kept)
            else:
                self._retire(way, kept)
        self._room.set()

    async def _open(self, way: Way) -> _Kept:
        """A new connection, which counts the caller."""
        route = await self._dialler.route(way)
        endpoint = None if route.endpoint is None else route.endpoint.id
        async with self._place(endpoint):
            made = self._kept[way] = _Kept(await self._dialler.connect(route), endpoint)
            made.users = 1
            return made

    @contextlib.asynccontextmanager
    async def _place(self, endpoint: str | None) -> AsyncIterator[None]:
        """A place among the endpoint's connections for one that is being made. Where all are taken, the connection
        that has idled the longest makes room, or else whoever is done first."""
        if endpoint is None:
            yield
            return
        idle: list[Way] = []
        while self._open_through(endpoint) >= PER_ENDPOINT:
            idle = [way for way, kept in self._kept.items() if kept.endpoint == endpoint and kept.users == 0]
            if idle:
                break
            self._room.clear()
            await self._room.wait()
        self._dialled[endpoint] += 1
        try:
            if idle:
                await _closed(self._kept.pop(min(idle, key=lambda way: self._kept[way].used)))
            yield
        finally:
            self._dialled[endpoint] -= 1
            self._room.set()

    def _open_through(self, endpoint: str) -> int:
        every = (*self._kept.values(), *self._retired)
        return self._dialled[endpoint] + sum(one.endpoint == endpoint and not one.line.is_closed() for one in every)

    def _retire(self, way: Way, kept: _Kept) -> None:
        """Hand the connection out no more, and close it when the last who holds it is done."""
        if self._kept.get(way) is kept:
            del self._kept[way]
        if kept.users > 0:
            self._retired.add(kept)
        else:
            self._retired.discard(kept)
            _close(kept)


def _close(kept: _Kept) -> None:
    if kept.idle is not None:
        kept.idle.cancel()
    kept.line.close()


async def _closed(kept: _Kept) -> None:
    _close(kept)
    with contextlib.suppress(Exception):
        await asyncio.wait_for(kept.line.wait_closed(), _CLOSING_SECONDS)
