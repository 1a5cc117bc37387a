"""The promises of an observer, as tests: subclass `ObserverConformance` and give it one fixture, `under_test`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from ..values import Event
from .description import ObserverUnderTest
from .runner import Harness, declared, outcome, promise

EVENTS = (
    Event("plugin.installed", "w", "p", "local://p", "sha256:" + "0" * 64, "op-1"),
    Event("plugin.uninstalled", "w", "p", operation="op-2"),
    Event("plugin.downloaded", "w", "p", "local://p", "sha256:" + "0" * 64),
    Event("operation.failed", "w", operation="op-3", problem="delivery-failed"),
    Event("something.that.a.later.version.tells", "w"),
)
ARRIVES_SECONDS = 10.0
"""Seconds that an event may take to arrive where the observer sends it."""


class ObserverConformance:
    """Each test is one promise. A test that needs `heard` or `unreachable` is skipped if the author left it out."""

    @pytest.fixture
    def under_test(self) -> Iterator[ObserverUnderTest]:
        """Describe the observer: override this."""
        raise NotImplementedError("override the fixture `under_test` and yield an ObserverUnderTest")

    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
    @promise()
    async def test_every_kind_of_event_is_taken(
        self, harness: Harness, under_test: ObserverUnderTest, event: Event
    ) -> None:
        """Also those of later versions: an observer ignores what it does not know."""
        assert await harness.call("observe", event=event) is None

    @promise()
    async def test_an_event_arrives_once(self, harness: Harness, under_test: ObserverUnderTest) -> None:
        """Exactly one more event has arrived."""
        heard = declared(under_test.heard, "what arrived")
        before = heard()
        await harness.call("observe", event=EVENTS[0])
        await _arrives(under_test, before + 1)
        assert heard() == before + 1, "an event must arrive once"

    @promise()
    async def test_an_event_that_is_lost_does_not_stop_the_next(
        self, harness: Harness, under_test: ObserverUnderTest
    ) -> None:
        """It may raise, or ignore the failure. It may not hang, and it sends again as soon as it can."""
        unreachable, heard = declared(under_test.unreachable, "an unreachable sink"), under_test.heard
        with unreachable():
            await outcome(harness.call("observe", event=EVENTS[0]))
        before = heard() if heard is not None else 0
        await harness.call("observe", event=EVENTS[1])
        if heard is not None:
            await _arrives(under_test, before + 1)
            assert heard() > before, "it sends no more"

    @promise()
    async def test_observing_does_not_block_the_loop(self, harness: Harness, under_test: ObserverUnderTest) -> None:
        """An `async def` waits without blocking."""
        await asyncio.gather(*(harness.call("observe", event=event) for event in EVENTS))
        harness.assert_loop_stayed_free()

    @promise()
    async def test_it_can_be_shut_down_and_started_again(
        self, harness: Harness, under_test: ObserverUnderTest
    ) -> None:
        """A service may be restarted in the same process."""
        await harness.stop()
        await harness.start()
        await harness.call("observe", event=EVENTS[0])


async def _arrives(under_test: ObserverUnderTest, number: int) -> None:
    """Wait until so many events have arrived, or `ARRIVES_SECONDS` have passed."""
    loop, heard = asyncio.get_running_loop(), under_test.heard
    deadline = loop.time() + ARRIVES_SECONDS
    while heard is not None and heard() < number and loop.time() < deadline:  # noqa: ASYNC110 - a count sends no event
        await asyncio.sleep(0.05)
