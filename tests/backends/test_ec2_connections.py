"""How connections are kept: one for an instance, few for an endpoint, none for long."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from plugport.builtin_backends.ec2 import pool as connections
from plugport.builtin_backends.ec2.connector import Route, Way
from plugport.builtin_backends.ec2.endpoints import Endpoint
from plugport.builtin_backends.ec2.instances import Instance
from plugport.builtin_backends.ec2.pool import PER_ENDPOINT, Connections
from plugport.hookspecs import RunState
from plugport.hookspecs.errors import BackendUnavailable


class Process:
    def close(self) -> None:
        pass


class Line:
    """A line that is open or closed."""

    def __init__(self) -> None:
        self.open, self.running, self.most = True, 0, 0

    def is_closed(self) -> bool:
        return not self.open

    def close(self) -> None:
        self.open = False

    async def wait_closed(self) -> None:
        return

    async def create_process(self, command: str) -> Process:
        if not self.open:
            raise ConnectionError("dead")
        return Process()


class Dialler:
    """Makes lines; `slowly` waits before each."""

    def __init__(self) -> None:
        self.lines: list[tuple[Way, Line]] = []
        self.most = 0
        self.fails = False

    async def route(self, way: Way) -> Route:
        endpoint = Endpoint("eice-1", "x") if way.host is None else None
        return Route(way, Instance(RunState.RUNNING), endpoint)

    async def connect(self, route: Route) -> Line:
        await asyncio.sleep(0)
        if self.fails:
            raise BackendUnavailable("no")
        made = Line()
        self.lines.append((route.way, made))
        self.most = max(self.most, sum(one.open for _, one in self.lines))
        return made


@pytest.fixture
def dialler():
    return Dialler()


@pytest.fixture
async def kept(dialler):
    made = Connections(dialler)
    yield made
    await made.close()
    assert not any(line.open for _, line in dialler.lines)


async def test_callers_share_a_connection_and_never_more_than_eight_run(kept, dialler):
    now, most = 0, 0

    async def call():
        nonlocal now, most
        async with kept.process(Way("i-1"), "x"):
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1

    await asyncio.gather(*(call() for _ in range(40)))
    assert (len(dialler.lines), most) == (1, 8)


async def test_no_more_than_twenty_go_through_one_endpoint_and_the_longest_idle_one_goes(kept, dialler):
    async def call(number):
        async with kept.process(Way(f"i-{number}"), "x"):
            await asyncio.sleep(0.001)

    await asyncio.gather(*(call(number) for number in range(60)))
    assert dialler.most == PER_ENDPOINT
    for number in range(PER_ENDPOINT):
        await call(100 + number)
    await call(100)  # used again: now 101 has idled the longest
    await call(200)
    still = {way.instance_id for way, line in dialler.lines if line.open}
    assert "i-100" in still
    assert "i-101" not in still


async def test_who_waits_for_room_gets_it_when_somebody_is_done(kept, dialler):
    async with contextlib.AsyncExitStack() as stack:
        for number in range(PER_ENDPOINT):
            await stack.enter_async_context(kept.process(Way(f"i-{number}"), "x"))
        waiting = asyncio.create_task(kept.process(Way("i-late"), "x").__aenter__())
        await asyncio.sleep(0.01)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 5)


async def test_a_direct_way_takes_no_room_of_an_endpoint(kept, dialler):
    async with contextlib.AsyncExitStack() as stack:
        for number in range(PER_ENDPOINT):
            await stack.enter_async_context(kept.process(Way(f"i-{number}"), "x"))
        await asyncio.wait_for(stack.enter_async_context(kept.process(Way("i-x", "host"), "x")), 5)


async def test_an_idle_connection_is_closed_after_its_time(kept, dialler, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.05)
    for _ in range(3):
        async with kept.process(Way("i-1"), "x"):
            pass
        await asyncio.sleep(0.02)
    ((_, line),) = dialler.lines
    assert line.open
    await asyncio.sleep(0.1)
    assert not line.open


async def test_one_that_is_too_old_is_replaced_and_closed_when_its_last_command_ends(kept, dialler, monkeypatch):
    async with kept.process(Way("i-1"), "x"):
        monkeypatch.setattr(connections, "OLDEST_SECONDS", 0.0)
        async with kept.process(Way("i-1"), "x"):
            (_, first), (_, second) = dialler.lines
            assert first.open
            assert second.open
    assert not first.open


async def test_a_way_that_fails_leaves_nothing_behind(kept, dialler):
    dialler.fails = True
    for number in range(PER_ENDPOINT + 5):
        with pytest.raises(BackendUnavailable):
            await asyncio.wait_for(kept.process(Way(f"i-{number}"), "x").__aenter__(), 5)
    dialler.fails = False
    async with kept.process(Way("i-1"), "x"):
        pass


async def test_a_new_connection_that_starts_nothing_is_not_tried_again(kept, dialler, monkeypatch):
    async def dead(self, command):
        raise ConnectionError("dead")

    monkeypatch.setattr(Line, "create_process", dead)
    with pytest.raises(BackendUnavailable, match="no command could be started"):
        await kept.process(Way("i-1"), "x").__aenter__()
    assert len(dialler.lines) == 1
