"""The engine's clients: built when they are first needed, one for questions and one for deliveries, each with threads
of its own, so that a hung delivery holds up no question."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import docker
from docker import APIClient
from docker.context import ContextAPI
from docker.errors import DockerException
from docker.utils import kwargs_from_env

_T = TypeVar("_T")
PROBE_SECONDS = 4
DELIVERY_SECONDS = 120
DELIVERIES = 4
"""Deliveries at once; more of them only wait for the same disk."""


class Client:
    """One docker-py API client, and the threads in which it is used."""

    def __init__(self, timeout: int, threads: int, name: str) -> None:
        self._timeout, self._lock = timeout, threading.Lock()
        self._api: APIClient | None = None
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"plugport-docker-{name}")

    def api(self) -> APIClient:
        """The client. Raises `DockerException` (and what `requests` raises) where no engine answers; then the next
        call tries again."""
        with self._lock:
            if self._api is None:
                self._api = _connect(self._timeout)
            return self._api

    async def run(self, work: Callable[[], _T]) -> _T:
        """Do blocking work in one of the client's threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Let go of threads and connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._api is not None:
            self._api.close()


class Engine:
    """The engine of DOCKER_HOST, else of the current context, else the local one."""

    def __init__(self) -> None:
        self.probes = Client(PROBE_SECONDS, 4, "probe")
        self.deliveries = Client(DELIVERY_SECONDS, 2 * DELIVERIES, "delivery")

    def close(self) -> None:
        """Let go of both clients."""
        self.probes.close()
        self.deliveries.close()


def _connect(timeout: int) -> APIClient:
    given = kwargs_from_env()
    if "base_url" not in given and not os.environ.get("DOCKER_HOST"):
        host = _host_of_context()
        if host is not None:
            given["base_url"] = host
    return docker.APIClient(version="auto", timeout=timeout, **given)


def _host_of_context() -> str | None:
    """What `docker context use` chose; None for the default."""
    try:
        context = ContextAPI.get_current_context()
    except (DockerException, OSError, ValueError):
        return None
    return context.Host if context is not None and context.Name != "default" else None
