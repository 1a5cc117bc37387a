"""Calls a provider's hooks as the service does: `def` in a thread, `async def` on the loop, each with a deadline."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Awaitable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

from ..providers import Provider, ProviderManager, inspect_provider
from ..providers.calling import call
from ..values import JSON, ServiceSettings, StartupContext

_T = TypeVar("_T")
SECRET: Final = "AKIA-kit-secret-do-not-show-9f1c"  # noqa: S105 - a decoy
"""Planted in the provider's settings (`token`) and in what fails under it; no client may ever see it."""
DEADLINE: Final = 60.0
"""Seconds that any call may take."""
LONGEST_BLOCK: Final = 1.0
"""Seconds that the loop may be held up by anything: far more than a busy machine's own hiccups."""


class LoopBlocked(AssertionError):
    """Raised when a provider held the event loop up."""


class Store:
    """A provider's own store, as long as the test."""

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
    """One provider, started; made within a running loop by `started`."""

    def __init__(self, plugin: object, name: str, settings: Mapping[str, str], service: ServiceSettings) -> None:
        self.provider: Provider = inspect_provider(plugin, name)
        self._manager = ProviderManager([self.provider])
        self.store = Store()
        self.audits: list[tuple[str, Mapping[str, JSON]]] = []
        self._settings, self._service = settings, service
        self.loop = asyncio.get_running_loop()
        self.loop_thread = threading.get_ident()
        self.longest_block = 0.0

    async def start(self) -> None:
        """Call `startup`."""
        if "startup" in self.provider.hooks:
            await self.call("startup", context=self._context())

    async def stop(self) -> None:
        """Call `shutdown`."""
        if "shutdown" in self.provider.hooks:
            await self.call("shutdown")

    async def call(self, hook: str, **arguments: object) -> Any:
        """What the hook answers. Raises what it raises, and `TimeoutError` after `DEADLINE`."""
        watch = asyncio.create_task(self._watch())
        try:
            caller = self._manager.only(self.provider.plugin, hook)
            outcome = await call(caller, arguments, DEADLINE, grace=DEADLINE)
            await asyncio.sleep(0)  # a block at the very end is seen, too
        finally:
            watch.cancel()
        if outcome.timed_out:
            raise TimeoutError(f"{hook} did not answer in {DEADLINE:g} s")
        if isinstance(outcome.error, Exception):
            raise outcome.error
        if outcome.error is not None:
            raise RuntimeError(repr(outcome.error))
        return outcome.value

    def did_not_block(self) -> None:
        """Raises `LoopBlocked` where a call has held the loop up."""
        if self.longest_block > LONGEST_BLOCK:
            raise LoopBlocked(f"the event loop was held up for {self.longest_block:.1f} s: use a thread")

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            try:
                await asyncio.sleep(0.01)
            finally:
                self.longest_block = max(self.longest_block, time.monotonic() - before - 0.01)

    def _context(self) -> StartupContext:
        async def audit(what: str, fields: Mapping[str, JSON]) -> None:
            self.audits.append((what, fields))

        def wait(awaitable: Awaitable[_T]) -> _T:
            async def run() -> _T:
                return await awaitable

            return asyncio.run_coroutine_threadsafe(run(), self.loop).result()

        return StartupContext(
            provider=self.provider.name,
            settings=MappingProxyType({"token": SECRET, **self._settings}),
            service=self._service,
            store=self.store,
            audit=audit,
            logger=logging.getLogger(f"plugport.provider.{self.provider.name}"),
            wait=wait,
        )
