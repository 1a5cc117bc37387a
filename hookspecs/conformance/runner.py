"""Runs a test against a started provider, and judges the errors that it raises.

Hooks are called as the service calls them, each with a deadline.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

import pytest

from .. import errors
from ..providers import Provider, ProviderManager, inspect_provider
from ..providers.calling import call as call_hook
from ..specs import MAY_RAISE
from ..values import JSON, StartupContext
from .description import UnderTest

_T = TypeVar("_T")
SECRET: Final = "AKIA-kit-secret-do-not-show-9f1c"  # noqa: S105 - a decoy
"""Stands in the provider's settings (`token`) and in the faults that the kit injects; no client may ever see it."""
DEADLINE: Final = 60.0
"""Seconds that any call may take."""
CANCELLED_SECONDS = 5.0
"""Seconds in which a call that was cancelled must end."""
LONGEST_BLOCK = 1.0
"""Seconds for which a call may block the event loop: far more than the hiccups of a busy machine."""
UNDECLARED: Final = "undeclared: "
"""How the reason of every skip of the kit begins. What is not declared follows."""


class LoopBlocked(AssertionError):
    """Raised if a provider blocked the event loop."""


class Store:
    """A provider's own store, in memory, for one test."""

    def __init__(self) -> None:
        self.values: dict[str, JSON] = {}

    async def get(self, key: str) -> JSON:
        """See `KeyValueStore.get`."""
        return self.values.get(key)

    async def put(self, key: str, value: JSON) -> None:
        """See `KeyValueStore.put`."""
        if len(key) > 512 or len(json.dumps(value)) > 64 * 1024:
            raise ValueError("a key has at most 512 characters, a value at most 64 KiB")
        self.values[key] = value

    async def delete(self, key: str) -> bool:
        """See `KeyValueStore.delete`."""
        return self.values.pop(key, None) is not None

    async def keys(self, prefix: str = "") -> Sequence[str]:
        """See `KeyValueStore.keys`."""
        return sorted(key for key in self.values if key.startswith(prefix))


class Harness:
    """One provider, and its hooks to call. Make it within a running loop."""

    def __init__(self, under_test: UnderTest) -> None:
        self._manager = ProviderManager()
        self.provider: Provider = inspect_provider(
            under_test.provider, under_test.provider_name, manager=self._manager
        )
        self.loop = asyncio.get_running_loop()
        self.loop_thread = threading.get_ident()
        self.longest_block = 0.0
        self._settings, self._service = under_test.settings, under_test.service

    async def start(self) -> None:
        """Call `startup`."""
        if "startup" in self.provider.hooks:
            await self.call("startup", context=self._context())

    async def stop(self) -> None:
        """Call `shutdown`."""
        if "shutdown" in self.provider.hooks:
            await self.call("shutdown")

    async def call(self, hook: str, **arguments: object) -> Any:
        """Return what the hook answers. Raises what it raises, and `TimeoutError` after `DEADLINE`."""
        watch = asyncio.create_task(self._measure_blocks())
        try:
            caller = self._manager.only(self.provider.plugin, hook)
            ended = await call_hook(caller, arguments, DEADLINE, grace=DEADLINE)
            await asyncio.sleep(0)  # so that a block at the very end is measured, too
        finally:
            watch.cancel()
        if ended.timed_out:
            raise TimeoutError(f"{hook} did not answer in {DEADLINE:g} s")
        if isinstance(ended.error, Exception):
            raise ended.error
        if ended.error is not None:
            raise RuntimeError(repr(ended.error))
        return ended.value

    async def assert_cancelled_call_ends(self, call: asyncio.Task[Any]) -> None:
        """Cancel a task that awaits `call`. Fail if the hook still runs after `CANCELLED_SECONDS`."""
        call.cancel()
        await asyncio.wait({call}, timeout=CANCELLED_SECONDS)
        assert call.done(), f"the hook still runs {CANCELLED_SECONDS:g} s after it was cancelled"

    def assert_loop_stayed_free(self) -> None:
        """Raise `LoopBlocked` if a call has blocked the loop for more than `LONGEST_BLOCK`."""
        if self.longest_block > LONGEST_BLOCK:
            raise LoopBlocked(f"the event loop was held up for {self.longest_block:.1f} s: use a thread")

    async def _measure_blocks(self) -> None:
        while True:
            before = time.monotonic()
            try:
                await asyncio.sleep(0.01)
            finally:
                self.longest_block = max(self.longest_block, time.monotonic() - before - 0.01)

    def _context(self) -> StartupContext:
        async def audit(what: str, fields: Mapping[str, JSON]) -> None:
            json.dumps({"what": what, **fields})  # as the audit log does

        def wait(awaitable: Awaitable[_T]) -> _T:
            async def await_it() -> _T:
                return await awaitable

            return asyncio.run_coroutine_threadsafe(await_it(), self.loop).result()

        return StartupContext(
            provider=self.provider.name,
            settings=MappingProxyType({"token": SECRET, **self._settings}),
            service=self._service,
            store=Store(),
            audit=audit,
            logger=logging.getLogger(f"plugport.provider.{self.provider.name}"),
            wait=wait,
        )


Scenario: TypeAlias = Callable[[Harness], Awaitable[None]]
_Test: TypeAlias = Callable[..., Awaitable[None]]


def with_provider(under_test: UnderTest, scenario: Scenario, *hooks: str) -> None:
    """Run the scenario on a loop of its own, between the provider's `startup` and its `shutdown`.

    The test is skipped as undeclared if the provider lacks one of `hooks`.
    """

    async def main() -> None:
        harness = Harness(under_test)
        for hook in hooks:
            if hook not in harness.provider.hooks:
                undeclared(hook)
        await harness.start()
        try:
            await scenario(harness)
        finally:
            await harness.stop()

    asyncio.run(main())


def promise(*hooks: str, run: Callable[..., None] = with_provider) -> Callable[[_Test], Callable[..., None]]:
    """Make a test of a coroutine function: `run` calls it as its scenario, and it gets `harness` beside its fixtures.

    The test is skipped as undeclared if the provider lacks one of `hooks`.
    """

    def decorate(test: _Test) -> Callable[..., None]:
        @functools.wraps(test)
        def run_test(self: object, **fixtures: Any) -> None:
            run(fixtures["under_test"], lambda harness: test(self, harness=harness, **fixtures), *hooks)

        signature = inspect.signature(test)
        fixtures = [parameter for parameter in signature.parameters.values() if parameter.name != "harness"]
        setattr(run_test, "__signature__", signature.replace(parameters=fixtures))  # noqa: B010 - unknown to mypy
        return run_test

    return decorate


def declared(value: _T | None, what: str) -> _T:
    """Return what the author described. The test is skipped as undeclared if that is None."""
    if value is None:
        undeclared(what)
    return value


def undeclared(what: str) -> NoReturn:
    """Skip the test: the provider or its author declared no such thing."""
    pytest.skip(UNDECLARED + what)


async def outcome(call: Awaitable[Any]) -> tuple[Any, Exception | None]:
    """Return the answer of a call, or the error that it raised. A failed assertion is raised on."""
    try:
        return await call, None
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001 - the test looks at whatever was raised
        return None, error


def assert_error_is_safe(error: Exception | None, hook: str) -> None:
    """Fail if an error of the tree is not one that the hook may raise, itself and no subclass, or says a secret.

    Anything else that a provider raises reaches no client: the service answers with its own words.
    """
    if isinstance(error, errors.PlugportError):
        allowed = MAY_RAISE.get(hook, ())
        names = ", ".join(kind.__name__ for kind in allowed)
        assert type(error) in allowed, f"{type(error).__name__} may not be raised here: {names}"
        shown = error.detail + json.dumps(dict(error.members))
        assert SECRET not in shown, f"{type(error).__name__} would show a client what broke underneath: {shown}"
