"""The matrix: every step of a delivery, and what may strike there."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from ...values.bundle import Bundle
from ..description import TROUBLES, WORKSPACE_VANISHES, BackendUnderTest
from ..faults import Fault, Step, Trap, watched
from ..runner import Harness
from ..suite import is_safe, outcome, undeclared
from .assertions import (
    NEW,
    OLD,
    VANISHED_SECONDS,
    as_before,
    beside,
    call_deliver,
    deliver,
    one_whole,
    pushing,
    settled,
    struck,
)
from .fixtures import BackendPromises


class FaultPromises(BackendPromises):
    """One version is whole whatever strikes, and the next delivery succeeds."""

    @pytest.mark.parametrize("step", list(Step))
    @pytest.mark.parametrize("fault", [Fault.RAISES, Fault.HALF_A_FILE])
    def test_a_stream_that_breaks_leaves_one_version_whole(
        self, under_test: BackendUnderTest, old: Bundle, new: Bundle, fault: Fault, step: Step
    ) -> None:
        """And the next delivery succeeds, with nothing left of the broken one."""

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, old)
            before = beside(under_test.place)
            trap = Trap(fault, step)
            receipt, _ = await outcome(call_deliver(harness, under_test, watched(new, trap)))
            found = one_whole(under_test.place, OLD, NEW)
            assert receipt is None or found == NEW, "it said that it had delivered, and had not"
            await as_before(harness, under_test, new, before)

        pushing(under_test, work)

    @pytest.mark.parametrize("step", list(Step))
    def test_a_stream_that_hangs_leaves_the_old_version_whole_meanwhile(
        self, under_test: BackendUnderTest, old: Bundle, new: Bundle, step: Step
    ) -> None:
        """Nobody sees half a plugin."""

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, old)
            before = beside(under_test.place)
            trap = Trap(Fault.HANGS, step)
            delivery = asyncio.create_task(outcome(call_deliver(harness, under_test, watched(new, trap))))
            try:
                await struck(trap, delivery)
                one_whole(under_test.place, OLD, NEW)
            finally:
                trap.released.set()
            await delivery
            one_whole(under_test.place, OLD, NEW)
            await as_before(harness, under_test, new, before)

        pushing(under_test, work)

    @pytest.mark.parametrize("step", list(Step))
    def test_a_delivery_that_is_cancelled_ends_and_leaves_one_version_whole(
        self, under_test: BackendUnderTest, old: Bundle, new: Bundle, step: Step
    ) -> None:
        """Within seconds, and nothing of it goes on behind the service's back."""

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, old)
            before = beside(under_test.place)
            trap = Trap(Fault.CANCELLED, step)
            delivery = asyncio.create_task(call_deliver(harness, under_test, watched(new, trap)))
            try:
                await struck(trap, delivery)
                delivery.cancel()
                await asyncio.wait({delivery}, timeout=5)
                assert delivery.done(), "the delivery ignores that it was cancelled"
            finally:
                trap.released.set()
                delivery.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await delivery
            await settled(under_test.place, before)
            one_whole(under_test.place, OLD, NEW)
            await as_before(harness, under_test, new, before)

        pushing(under_test, work)

    @pytest.mark.parametrize("step", list(Step))
    @pytest.mark.parametrize("trouble", TROUBLES)
    def test_trouble_on_the_way_leaves_one_version_whole(
        self, under_test: BackendUnderTest, old: Bundle, new: Bundle, trouble: str, step: Step
    ) -> None:
        """The connection drops, the workspace vanishes, the disk is full; mended, the next delivery succeeds."""
        if trouble not in under_test.troubles:
            undeclared(f"trouble {trouble}")

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, old)
            before = beside(under_test.place)
            with contextlib.ExitStack() as stack:
                once = threading.Lock()

                def on_read(position: int, size: int) -> None:
                    at = {Step.START: 0, Step.HALF: size // 2, Step.END: size}[step]
                    if position >= at and once.acquire(blocking=False):
                        stack.enter_context(under_test.troubles[trouble]())

                receipt, error = await outcome(call_deliver(harness, under_test, watched(new, on_read)))
                if error is not None:
                    is_safe(error, "deliver")
            await settled(under_test.place, before, VANISHED_SECONDS if trouble == WORKSPACE_VANISHES else None)
            found = one_whole(under_test.place, OLD, NEW)
            assert receipt is None or found == NEW, "it said that it had delivered, and had not"
            await as_before(harness, under_test, new, before)

        pushing(under_test, work)

    def test_an_error_says_nothing_of_what_broke_underneath(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """Of the tree's errors only those that the hook may raise, and no text of another exception in them."""

        async def work(harness: Harness) -> None:
            trap = Trap(Fault.RAISES, Step.HALF)
            _, error = await outcome(call_deliver(harness, under_test, watched(new, trap)))
            assert error is not None, "a delivery whose stream breaks in the middle must fail"
            is_safe(error, "deliver")

        pushing(under_test, work)
