"""Waiting for a change ends when it is cancelled, also if the change comes at the same moment."""

from __future__ import annotations

import asyncio

import pytest

from plugport.core.operations.runner import _wait_for_change


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancelled_wait_ends_though_the_event_is_set(steps):
    event = asyncio.Event()

    async def wait_again_and_again():
        while True:
            event.clear()
            await _wait_for_change(event)

    task = asyncio.create_task(wait_again_and_again())
    await asyncio.sleep(0.01)
    event.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=1)
    task.cancel()
    assert done, "the cancellation was lost"
