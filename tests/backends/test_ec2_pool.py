"""The connection pool: one connection per instance, few per endpoint, none idle for long."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from plugport.builtin_backends.ec2 import pool as pool_module
from plugport.builtin_backends.ec2.connector import ConnectionTarget, Connector, Route, SshConnection
from plugport.builtin_backends.ec2.endpoints import Endpoint
from plugport.builtin_backends.ec2.instances import Instance
from plugport.builtin_backends.ec2.pool import PER_ENDPOINT, ConnectionPool
from plugport.hookspecs import RunState
from plugport.hookspecs.errors import BackendUnavailable


class FakeProcess:
    def close(self) -> None:
        pass


class FakeConnection(SshConnection):
    """A connection that is open or closed."""

    def __init__(self) -> None:
        self.open = True

    def is_closed(self) -> bool:
        return not self.open

    def close(self) -> None:
        self.open = False

    async def wait_closed(self) -> None:
        return

    async def create_process(self, command: str) -> FakeProcess:  # type: ignore[override]
        if not self.open:
            raise ConnectionError("dead")
        return FakeProcess()


class FakeConnector(Connector):
    """Makes fake connections; `most_open` is the highest number of them that were open at once."""

    def __init__(self) -> None:
        self.connections: list[tuple[ConnectionTarget, FakeConnection]] = []
        self.most_open = 0
        self.fails = False

    async def find_route(self, target: ConnectionTarget) -> Route:
        endpoint = Endpoint("eice-1", "x") if target.host is None else None
        return Route(target, Instance(RunState.RUNNING), endpoint)

    async def connect(self, route: Route) -> FakeConnection:
        await asyncio.sleep(0)
        if self.fails:
            raise BackendUnavailable("no")
        connection = FakeConnection()
        self.connections.append((route.target, connection))
        self.most_open = max(self.most_open, sum(other.open for _, other in self.connections))
        return connection


@pytest.fixture
def connector():
    return FakeConnector()


@pytest.fixture
async def pool(connector):
    pool = ConnectionPool(connector)
    yield pool
    await pool.close()
    assert not any(connection.open for _, connection in connector.connections)


async def test_callers_share_a_connection_and_never_more_than_eight_run(pool, connector):
    running, most = 0, 0

    async def call():
        nonlocal running, most
        async with pool.process(ConnectionTarget("i-1"), "x"):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(call() for _ in range(40)))
    assert (len(connector.connections), most) == (1, 8)


async def test_no_more_than_twenty_go_through_one_endpoint_and_the_longest_idle_one_is_closed(pool, connector):
    async def call(number):
        async with pool.process(ConnectionTarget(f"i-{number}"), "x"):
            await asyncio.sleep(0.001)

    await asyncio.gather(*(call(number) for number in range(60)))
    assert connector.most_open == PER_ENDPOINT
    for number in range(PER_ENDPOINT):
        await call(100 + number)
    await call(100)  # used again: now 101 has been idle the longest
    await call(200)
    still_open = {target.instance_id for target, connection in connector.connections if connection.open}
    assert "i-100" in still_open
    assert "i-101" not in still_open


async def test_a_caller_that_waits_for_a_slot_gets_it_when_another_ends(pool, connector):
    async with contextlib.AsyncExitStack() as stack:
        for number in range(PER_ENDPOINT):
            await stack.enter_async_context(pool.process(ConnectionTarget(f"i-{number}"), "x"))
        waiting = asyncio.create_task(pool.process(ConnectionTarget("i-late"), "x").__aenter__())
        await asyncio.sleep(0.01)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 5)


async def test_direct_ssh_takes_no_slot_of_an_endpoint(pool, connector):
    async with contextlib.AsyncExitStack() as stack:
        for number in range(PER_ENDPOINT):
            await stack.enter_async_context(pool.process(ConnectionTarget(f"i-{number}"), "x"))
        direct = pool.process(ConnectionTarget("i-x", "host"), "x")
        await asyncio.wait_for(stack.enter_async_context(direct), 5)


async def test_an_idle_connection_is_closed_after_its_time(pool, connector, monkeypatch):
    monkeypatch.setattr(pool_module, "IDLE_SECONDS", 1.0)
    for _ in range(3):
        async with pool.process(ConnectionTarget("i-1"), "x"):
            pass
        await asyncio.sleep(0.4)
    ((_, connection),) = connector.connections
    assert connection.open
    async with asyncio.timeout(10):
        while connection.open:
            await asyncio.sleep(0.05)


async def test_one_that_is_too_old_is_replaced_and_closed_when_its_last_command_ends(pool, connector, monkeypatch):
    async with pool.process(ConnectionTarget("i-1"), "x"):
        monkeypatch.setattr(pool_module, "MAX_AGE_SECONDS", 0.0)
        async with pool.process(ConnectionTarget("i-1"), "x"):
            (_, first), (_, second) = connector.connections
            assert first.open
            assert second.open
    assert not first.open


async def test_a_connection_that_fails_leaves_nothing_behind(pool, connector):
    connector.fails = True
    for number in range(PER_ENDPOINT + 5):
        with pytest.raises(BackendUnavailable):
            await asyncio.wait_for(pool.process(ConnectionTarget(f"i-{number}"), "x").__aenter__(), 5)
    connector.fails = False
    async with pool.process(ConnectionTarget("i-1"), "x"):
        pass


async def test_a_new_connection_that_starts_nothing_is_not_tried_again(pool, connector, monkeypatch):
    async def dead(self, command):
        raise ConnectionError("dead")

    monkeypatch.setattr(FakeConnection, "create_process", dead)
    with pytest.raises(BackendUnavailable, match="no command could be started"):
        await pool.process(ConnectionTarget("i-1"), "x").__aenter__()
    assert len(connector.connections) == 1
