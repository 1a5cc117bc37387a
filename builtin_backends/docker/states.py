"""Answers "is it running?" for many callers with one question to the engine."""

from __future__ import annotations

import asyncio
from functools import partial

import requests
from docker.errors import DockerException

from ...hookspecs import RunState
from ..request_coalescer import Batch
from .engine import Engine
from .running import Container, container_state

_RETRY_SECONDS = 0.3
_TRIES = 3


class Asking:
    """Callers that come while a question is under way share the next one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._batch = Batch(self._ask, _lost)

    async def state(self, name: str) -> Container:
        """What the engine says of the container; a container that is just restarting is asked about again."""
        for attempt in range(_TRIES):
            found = await self._batch.answer(name)
            if not (found.state.reason or "").startswith("the container is") or attempt + 1 == _TRIES:
                return found
            await asyncio.sleep(_RETRY_SECONDS)
        return found

    async def in_full(self, name: str) -> Container:
        """The same of one container, with its mounts."""
        return (await self._engine.probes.run(lambda: _ask(self._engine, [name], mounts=True)))[name]

    async def _ask(self, names: list[str]) -> dict[str, Container]:
        return await self._engine.probes.run(partial(_ask, self._engine, names, mounts=False))


def _lost(error: BaseException) -> Container:
    return Container(RunState.unknown(f"the question failed: {type(error).__name__}"))


def _ask(engine: Engine, names: list[str], *, mounts: bool) -> dict[str, Container]:
    try:
        api = engine.probes.api()
    except (DockerException, requests.RequestException, OSError) as error:
        unknown = RunState.unknown(f"no engine answers: {type(error).__name__}: {error}")
        return dict.fromkeys(names, Container(unknown))
    return container_state(api, names, mounts=mounts)
