"""The promises of an observer, as tests: subclass `ObserverConformance` and give it one fixture, `under_test`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from ..values import Event
from .description import ObserverUnderTest
from .runner import Harness
from .suite import outcome, undeclared, with_provider

EVENTS = (
    Event("plugin.installed", "w", "p", "local://p", "sha256:" + "0" * 64, "op-1"),
    Event("plugin.uninstalled", "w", "p", operation="op-2"),
    Event("plugin.downloaded", "w", "p", "local://p", "sha256:" + "0" * 64),
    Event("operation.failed", "w", operation="op-3", problem="delivery-failed"),
    Event("something.that.a.later.version.tells", "w"),
)
ARRIVES_SECONDS = 10.0
"""How long an event may take to arrive where the observer sends it."""


class ObserverConformance:
    """Each test is one promise. Where the author does not say what arrived, that is undeclared."""

    @pytest.fixture
    def under_test(self) -> Iterator[ObserverUnderTest]:
        """Overridden by every provider's tests."""
        raise NotImplementedError("override the fixture `under_test` and yield an ObserverUnderTest")

    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
    def test_every_kind_of_event_is_taken(self, under_test: ObserverUnderTest, event: Event) -> None:
        """Those of later versions, too: what it does not know it leaves alone."""

        async def work(harness: Harness) -> None:
            assert await harness.call("observe", event=event) is None

        with_provider(under_test, work)

    def test_what_happened_is_heard_once(self, under_test: ObserverUnderTest) -> None:
        """One more has arrived, and no second."""
        heard = under_test.heard
        if heard is None:
            undeclared("what arrived")

        async def work(harness: Harness) -> None:
            before = heard()
            await harness.call("observe", event=EVENTS[0])
            await _arrives(under_test, before + 1)
            assert heard() == before + 1, "it was told once"

        with_provider(under_test, work)

    def test_one_that_cannot_be_told_does_not_lose_the_next(self, under_test: ObserverUnderTest) -> None:
        """It may raise, or swallow; it may not hang, and when the way is mended it tells again."""
        unreachable, heard = under_test.unreachable, under_test.heard
        if unreachable is None:
            undeclared("an unreachable sink")

        async def work(harness: Harness) -> None:
            with unreachable():
                await outcome(harness.call("observe", event=EVENTS[0]))
            before = heard() if heard is not None else 0
            await harness.call("observe", event=EVENTS[1])
            if heard is not None:
                await _arrives(under_test, before + 1)
                assert heard() > before, "it tells no more"

        with_provider(under_test, work)

    def test_telling_does_not_hold_up_the_loop(self, under_test: ObserverUnderTest) -> None:
        """An `async def` waits without blocking everybody else."""

        async def work(harness: Harness) -> None:
            await asyncio.gather(*(harness.call("observe", event=event) for event in EVENTS))
            harness.did_not_block()

        with_provider(under_test, work)

    def test_it_can_be_shut_down_and_started_again(self, under_test: ObserverUnderTest) -> None:
        """As a service that is restarted in the same process."""

        async def work(harness: Harness) -> None:
            await harness.stop()
            await harness.start()
            await harness.call("observe", event=EVENTS[0])

        with_provider(under_test, work)


async def _arrives(under_test: ObserverUnderTest, number: int) -> None:
    """Until so many have arrived, or it takes too long."""
    loop, heard = asyncio.get_running_loop(), under_test.heard
    deadline = loop.time() + ARRIVES_SECONDS
    while heard is not None and heard() < number and loop.time() < deadline:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.05)
