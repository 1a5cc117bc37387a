"""One contained call of one hook: it ends as an `Outcome`, whatever it raises and however long it takes.

A plain `def` runs in a daemon thread of its own, so a call that never returns holds up neither the loop nor the end
of the process. A coroutine runs in a task of its own. SystemExit and CancelledError are caught inside the task,
because a task that lets them out ends the loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pluggy

from .manager import answer

GRACE: Final = 1.0
"""Seconds that a cancelled coroutine has to clean up before the caller waits no longer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: with a value, with an error, or not in time. `seconds` includes the time of a coroutine."""

    value: object = None
    error: BaseException | None = None
    timed_out: bool = False
    seconds: float = 0.0


async def call(
    caller: pluggy.HookCaller, arguments: Mapping[str, object], deadline: float, grace: float = GRACE
) -> Outcome:
    """Call the one implementation that `caller` has (see `ProviderManager.only`).

    `arguments` are those of the specification; the implementation gets those that it takes. `deadline` and `grace`
    are in seconds; `grace` is the time in which a cancelled coroutine may clean up. Raises nothing but the
    `CancelledError` of the task that awaits this, after the call was told to stop.
    """
    (implementation,) = caller.get_hookimpls()
    started = time.perf_counter()
    if inspect.iscoroutinefunction(implementation.function):
        outcome = await _in_task(lambda: answer(caller, arguments), deadline, grace)
    else:
        outcome = await _in_thread(lambda: answer(caller, arguments), deadline)
        if inspect.iscoroutine(outcome.value):  # a plain def may hand on the coroutine of another function
            coroutine, spent = outcome.value, time.perf_counter() - started
            outcome = await _in_task(lambda: coroutine, max(deadline - spent, 0.0), grace)
    return replace(outcome, seconds=time.perf_counter() - started)


async def _in_task(function: Callable[[], object], deadline: float, grace: float) -> Outcome:
    async def contained() -> Outcome:
        try:
            result = function()
            return Outcome(await result if isinstance(result, Awaitable) else result)
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
            await asyncio.wait({task}, timeout=grace)


async def _in_thread(function: Callable[[], object], deadline: float) -> Outcome:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Outcome] = loop.create_future()
    context = contextvars.copy_context()

    def settle(outcome: Outcome) -> None:
        if not answered.done():
            answered.set_result(outcome)

    def call_and_report() -> None:
        try:
            outcome = Outcome(context.run(function))
        except BaseException as error:  # noqa: BLE001 - as above
            outcome = Outcome(error=error)
        try:
            loop.call_soon_threadsafe(settle, outcome)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    threading.Thread(target=call_and_report, daemon=True, name="plugport-hook").start()
    done, _ = await asyncio.wait({answered}, timeout=deadline)
    return answered.result() if done else Outcome(timed_out=True)
