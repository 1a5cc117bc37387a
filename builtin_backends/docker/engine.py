"""The engine's clients: one for queries, one for deliveries. A client connects when it is first used.

Each has its own threads, so that a delivery that hangs does not block a query.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from docker import APIClient
from docker.context import ContextAPI
from docker.errors import DockerException
from docker.utils import kwargs_from_env

_T = TypeVar("_T")
QUERY_SECONDS = 4
DELIVERY_SECONDS = 120
DELIVERIES = 4
"""Concurrent deliveries. More of them would only wait for the same disk."""


class Client:
    """One docker-py API client, and the threads that use it."""

    def __init__(self, timeout: int, threads: int, name: str) -> None:
        self._timeout, self._lock = timeout, threading.Lock()
        self._api: APIClient | None = None
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"plugport-docker-{name}")

    def api(self) -> APIClient:
        """Return the client, connected. Raises `DockerException` and errors of `requests` if no engine answers; the
        next call tries again."""
        with self._lock:
            if self._api is None:
                self._api = _connect(self._timeout)
            return self._api

    async def in_thread(self, function: Callable[[], _T]) -> _T:
        """Call a blocking function in one of the client's threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def close(self) -> None:
        """Close the threads and the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._api is not None:
            self._api.close()


class Engine:
    """The engine of DOCKER_HOST, else of the current context, else the local one."""

    def __init__(self) -> None:
        self.queries = Client(QUERY_SECONDS, 4, "query")
        self.deliveries = Client(DELIVERY_SECONDS, 2 * DELIVERIES, "delivery")

    def close(self) -> None:
        """Close both clients."""
        self.queries.close()
        self.deliveries.close()


def _connect(timeout: int) -> APIClient:
    options = kwargs_from_env()
    if "base_url" not in options and not os.environ.get("DOCKER_HOST") and (host := _context_host()) is not None:
        options["base_url"] = host
    return APIClient(version="auto", timeout=timeout, **options)


def _context_host() -> str | None:
    """Return the host of `docker context use`, None for the default context."""
    try:
        context = ContextAPI.get_current_context()
    except (DockerException, OSError, ValueError):
        return None
    return context.Host if context is not None and context.Name != "default" else None
