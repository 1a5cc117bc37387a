"""Coalesces concurrent lookups of the same kind into few requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

_T = TypeVar("_T")


class RequestCoalescer(Generic[_T]):
    """Answers many callers with one request: calls that are made while a fetch runs share the next one.

    `fetch_many` takes the keys and returns a value for each of them. If it raises or omits a key, every caller that
    waits gets `on_error(exception)`.
    """

    def __init__(
        self,
        fetch_many: Callable[[list[str]], Awaitable[Mapping[str, _T]]],
        on_error: Callable[[BaseException], _T],
    ) -> None:
        self._fetch_many, self._on_error = fetch_many, on_error
        self._waiting: dict[str, list[asyncio.Future[_T]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: str) -> _T:
        """Return the key's value from a fetch that starts after this call. May be repeated."""
        value: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(value)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._fetch_all())
        return await value

    async def _fetch_all(self) -> None:
        await asyncio.sleep(0)  # the callers of this turn of the loop share the first fetch
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            try:
                values = await self._fetch_many(list(waiting))
                _resolve(waiting, {key: values[key] for key in waiting})
            except BaseException as error:
                _resolve(waiting, dict.fromkeys(waiting, self._on_error(error)))
                if not isinstance(error, Exception):
                    raise


def _resolve(waiting: Mapping[str, list[asyncio.Future[_T]]], values: Mapping[str, _T]) -> None:
    for key, futures in waiting.items():
        for future in futures:
            if not future.done():
                future.set_result(values[key])
