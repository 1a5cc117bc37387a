"""Answers "is it running?" for many callers with one request to the engine."""

from __future__ import annotations

import asyncio

import requests
from docker.errors import DockerException

from ...hookspecs import RunState
from ..request_coalescer import RequestCoalescer
from .engine import Client
from .running import Container, container_state

_RETRY_SECONDS = 0.3
_RETRIES = 2


class ContainerStates:
    """Asks the engine about containers. Callers of `get` that come during a request share the next one."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._coalescer = RequestCoalescer(self._fetch_many, _failed_request)

    async def get(self, name: str) -> Container:
        """Return the container's state. A container that restarts is asked about again, for about half a second."""
        container = await self._coalescer.get(name)
        for _ in range(_RETRIES):
            if not container.unsettled:
                break
            await asyncio.sleep(_RETRY_SECONDS)
            container = await self._coalescer.get(name)
        return container

    async def inspect(self, name: str) -> Container:
        """Return the state of one container, with its mounts if it runs."""
        return (await self._client.in_thread(lambda: self._request([name], mounts=True)))[name]

    async def _fetch_many(self, names: list[str]) -> dict[str, Container]:
        return await self._client.in_thread(lambda: self._request(names, mounts=False))

    def _request(self, names: list[str], *, mounts: bool) -> dict[str, Container]:
        try:
            api = self._client.api()
        except (DockerException, requests.RequestException, OSError) as error:
            unknown = RunState.unknown(f"the engine cannot be reached: {type(error).__name__}: {error}")
            return dict.fromkeys(names, Container(unknown))
        return container_state(api, names, mounts=mounts)


def _failed_request(error: BaseException) -> Container:
    return Container(RunState.unknown(f"the request failed: {type(error).__name__}"))
