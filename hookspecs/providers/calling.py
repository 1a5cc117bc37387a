"""One call of one hook, contained: whatever it raises, however long it takes, it ends here as an outcome.

A plain `def` runs in a thread of its own, a daemon, so that a call that never returns holds up neither the loop
nor the end of the process. A coroutine runs in a task of its own; SystemExit and CancelledError are caught inside
it, since a task that lets them out would take the loop down.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .discovery import Implementation

GRACE = 1.0
"""Seconds that a cancelled coroutine has to clean up before it is left to itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: with a value, with an error, or not in time."""

    value: object = None
    error: BaseException | None = None
    timed_out: bool = False


async def call(implementation: Implementation, arguments: Mapping[str, object], deadline: float) -> Outcome:
    """Call the implementation with those of the arguments that it takes; `deadline` in seconds.

    Raises nothing but the caller's own `CancelledError`, after the call was told to stop.
    """
    taken = {name: arguments[name] for name in implementation.arguments}
    if implementation.is_async:
        return await _in_task(implementation.function, taken, deadline)
    return await _in_thread(implementation.function, taken, deadline)


async def _in_task(function: Callable[..., object], arguments: dict[str, object], deadline: float) -> Outcome:
    async def contained() -> Outcome:
        try:
            return Outcome(await cast("Coroutine[Any, Any, object]", function(**arguments)))
        except BaseException as error:  # noqa: BLE001 - SystemExit and CancelledError of the hook included
            return Outcome(error=error)

    task = asyncio.create_task(contained())
    try:
        done, _ = await asyncio.wait({task}, timeout=deadline)
        if done:
            return task.result()
        return Outcome(timed_out=True)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=GRACE)


async def _in_thread(function: Callable[..., object], arguments: dict[str, object], deadline: float) -> Outcome:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Outcome] = loop.create_future()
    context = contextvars.copy_context()

    def settle(outcome: Outcome) -> None:
        if not answered.done():
            answered.set_result(outcome)

    def work() -> None:
        try:
            outcome = Outcome(context.run(function, **arguments))
        except BaseException as error:  # noqa: BLE001 - as above
            outcome = Outcome(error=error)
        try:
            loop.call_soon_threadsafe(settle, outcome)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    threading.Thread(target=work, daemon=True, name="plugport-hook").start()
    done, _ = await asyncio.wait({answered}, timeout=deadline)
    return answered.result() if done else Outcome(timed_out=True)
