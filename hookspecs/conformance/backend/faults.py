"""The promises of a delivery on a bad day: every fault at every point of the stream."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from ...values.bundle import Bundle
from ..description import TROUBLES, WORKSPACE_VANISHES, BackendUnderTest
from ..faults import Fault, FaultInjector, FaultPoint, watch_reads
from ..runner import Harness, assert_error_is_safe, outcome, undeclared
from .assertions import (
    NEW,
    OLD,
    VANISHED_SECONDS,
    assert_next_delivery_is_clean,
    assert_one_version,
    deliver,
    plugin_folders,
    push_promise,
    wait_for_clean_up,
    wait_for_fault,
    wait_for_plugin,
)
from .fixtures import BackendPromises


class FaultPromises(BackendPromises):
    """Whatever fails, the target has one whole version, and the next delivery succeeds."""

    @pytest.mark.parametrize("point", list(FaultPoint))
    @pytest.mark.parametrize("fault", [Fault.RAISES, Fault.HALF_A_FILE])
    @push_promise()
    async def test_a_stream_that_breaks_leaves_one_version_whole(
        self,
        harness: Harness,
        under_test: BackendUnderTest,
        old: Bundle,
        new: Bundle,
        fault: Fault,
        point: FaultPoint,
    ) -> None:
        """The next delivery succeeds, and nothing of the broken one is left."""
        await deliver(harness, under_test, old)
        before = plugin_folders(under_test.place)
        broken = watch_reads(new, FaultInjector(fault, point))
        receipt, _ = await outcome(deliver(harness, under_test, broken))
        contents = assert_one_version(under_test.place, OLD, NEW)
        assert receipt is None or contents == NEW, "it said that it had delivered, and had not"
        await assert_next_delivery_is_clean(harness, under_test, new, before)

    @pytest.mark.parametrize("point", list(FaultPoint))
    @push_promise()
    async def test_a_stream_that_hangs_leaves_the_old_version_whole_meanwhile(
        self, harness: Harness, under_test: BackendUnderTest, old: Bundle, new: Bundle, point: FaultPoint
    ) -> None:
        """Nobody sees half a plugin."""
        await deliver(harness, under_test, old)
        before = plugin_folders(under_test.place)
        injector = FaultInjector(Fault.HANGS, point)
        delivery = asyncio.create_task(outcome(deliver(harness, under_test, watch_reads(new, injector))))
        try:
            await wait_for_fault(injector, delivery)
            await wait_for_plugin(under_test.place)
            assert_one_version(under_test.place, OLD, NEW)
        finally:
            injector.released.set()
        await delivery
        assert_one_version(under_test.place, OLD, NEW)
        await assert_next_delivery_is_clean(harness, under_test, new, before)

    @pytest.mark.parametrize("point", list(FaultPoint))
    @push_promise()
    async def test_a_delivery_that_is_cancelled_ends_and_leaves_one_version_whole(
        self, harness: Harness, under_test: BackendUnderTest, old: Bundle, new: Bundle, point: FaultPoint
    ) -> None:
        """It ends within seconds, and nothing of it goes on in the background."""
        await deliver(harness, under_test, old)
        before = plugin_folders(under_test.place)
        injector = FaultInjector(Fault.CANCELLED, point)
        delivery = asyncio.create_task(deliver(harness, under_test, watch_reads(new, injector)))
        try:
            await wait_for_fault(injector, delivery)
            await harness.assert_cancelled_call_ends(delivery)
        finally:
            injector.released.set()
            delivery.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await delivery
        await wait_for_clean_up(under_test.place, before)
        assert_one_version(under_test.place, OLD, NEW)
        await assert_next_delivery_is_clean(harness, under_test, new, before)

    @pytest.mark.parametrize("point", list(FaultPoint))
    @pytest.mark.parametrize("trouble", TROUBLES)
    @push_promise()
    async def test_trouble_on_the_way_leaves_one_version_whole(
        self,
        harness: Harness,
        under_test: BackendUnderTest,
        old: Bundle,
        new: Bundle,
        trouble: str,
        point: FaultPoint,
    ) -> None:
        """The connection drops, the workspace vanishes, or the disk is full. After that, a delivery succeeds."""
        if trouble not in under_test.troubles:
            undeclared(f"trouble {trouble}")
        await deliver(harness, under_test, old)
        before = plugin_folders(under_test.place)
        with contextlib.ExitStack() as stack:
            once = threading.Lock()

            def on_read(position: int, size: int) -> None:
                if point.is_reached(position, size) and once.acquire(blocking=False):
                    stack.enter_context(under_test.troubles[trouble]())

            receipt, error = await outcome(deliver(harness, under_test, watch_reads(new, on_read)))
            assert_error_is_safe(error, "deliver")
        seconds = VANISHED_SECONDS if trouble == WORKSPACE_VANISHES else None
        await wait_for_clean_up(under_test.place, before, seconds)
        contents = assert_one_version(under_test.place, OLD, NEW)
        assert receipt is None or contents == NEW, "it said that it had delivered, and had not"
        await assert_next_delivery_is_clean(harness, under_test, new, before)

    @push_promise()
    async def test_an_error_says_nothing_of_what_broke_underneath(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """Only errors that the hook may raise, and no text of another exception in them."""
        broken = watch_reads(new, FaultInjector(Fault.RAISES, FaultPoint.HALF))
        _, error = await outcome(deliver(harness, under_test, broken))
        assert error is not None, "a delivery whose stream breaks in the middle must fail"
        assert_error_is_safe(error, "deliver")
