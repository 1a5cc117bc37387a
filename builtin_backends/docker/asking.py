"""Answers "is it running?" for many callers with one question to the engine."""

from __future__ import annotations

import asyncio
from functools import partial

import requests
from docker.errors import DockerException

from plugport.builtin_backends.docker.engine import Engine
from plugport.builtin_backends.docker.running import Container, container_state
from plugport.hookspecs import RunState

_RETRY_SECONDS = 0.3
_TRIES = 3


class Asking:
    """Callers that come while a question is under way share the next one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: dict[str, list[asyncio.Future[Container]]] = {}
        self._busy: asyncio.Task[None] | None = None

    async def state(self, name: str) -> Container:
        """What the engine says of the container; a container that is just restarting is asked about again."""
        for attempt in range(_TRIES):
            answer: asyncio.Future[Container] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(name, []).append(answer)
            if self._busy is None or self._busy.done():
                self._busy = asyncio.create_task(self._ask())
            found = await answer
            if not (found.state.reason or "").startswith("the container is") or attempt + 1 == _TRIES:
                return found
            await asyncio.sleep(_RETRY_SECONDS)
        return found

    async def in_full(self, name: str) -> Container:
        """The same of one container, with its mounts."""
        return (await self._engine.probes.run(lambda: _ask(self._engine, [name], mounts=True)))[name]

    async def _ask(self) -> None:
        await asyncio.sleep(0)
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            try:
                found = await self._engine.probes.run(partial(_ask, self._engine, list(waiting), mounts=False))
            except BaseException as error:
                failed = Container(RunState.unknown(f"the question failed: {type(error).__name__}"))
                found = dict.fromkeys(waiting, failed)
                if not isinstance(error, Exception):
                    _answer(waiting, found)
                    raise
            _answer(waiting, found)


def _answer(waiting: dict[str, list[asyncio.Future[Container]]], found: dict[str, Container]) -> None:
    for name, futures in waiting.items():
        for future in futures:
            if not future.done():
                future.set_result(found[name])


def _ask(engine: Engine, names: list[str], *, mounts: bool) -> dict[str, Container]:
    try:
        api = engine.probes.api()
    except (DockerException, requests.RequestException, OSError) as error:
        unknown = RunState.unknown(f"no engine answers: {type(error).__name__}: {error}")
        return dict.fromkeys(names, Container(unknown))
    return container_state(api, names, mounts=mounts)
