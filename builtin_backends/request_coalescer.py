"""Many callers, one question: whoever comes while a question is under way shares the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Batch(Generic[_T]):
    """`ask` answers many names at once, each of them. Where it raises or leaves one out, `lost` makes the answer of
    all, so that nobody waits for ever."""

    def __init__(
        self, ask: Callable[[list[str]], Awaitable[Mapping[str, _T]]], lost: Callable[[BaseException], _T]
    ) -> None:
        self._ask, self._lost = ask, lost
        self._waiting: dict[str, list[asyncio.Future[_T]]] = {}
        self._busy: asyncio.Task[None] | None = None

    async def answer(self, name: str) -> _T:
        """What is said of the name by a question that starts after this call."""
        answer: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, []).append(answer)
        if self._busy is None or self._busy.done():
            self._busy = asyncio.create_task(self._ask_on())
        return await answer

    async def _ask_on(self) -> None:
        await asyncio.sleep(0)  # who comes in this turn of the loop is among the first
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            try:
                told = await self._ask(list(waiting))
                found = {name: told[name] for name in waiting}
            except BaseException as error:
                found = dict.fromkeys(waiting, self._lost(error))
                if not isinstance(error, Exception):
                    _answer(waiting, found)
                    raise
            _answer(waiting, found)


def _answer(waiting: Mapping[str, list[asyncio.Future[_T]]], found: Mapping[str, _T]) -> None:
    for name, futures in waiting.items():
        for future in futures:
            if not future.done():
                future.set_result(found[name])
