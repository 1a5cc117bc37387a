"""Keeps an SDK out of discovery: importing boto3 or docker-py costs some hundred milliseconds, looking for it one."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..hookspecs import StartupContext, hookimpl, specs
from ..hookspecs.errors import BackendUnavailable


class LazyBackend:
    """A provider that stands for a backend's class, `module:Class`, and imports it at `startup`.

    It implements `startup`, `shutdown` and each hook of `hooks`, with the name, the arguments and the docstring of
    the hook's specification. The class implements the same hooks, all of them as `async def`. A hook that is called
    before `startup` or after `shutdown` raises `BackendUnavailable`.
    """

    def __init__(self, backend: str, location: str, hooks: Iterable[str], *, needs: Iterable[str]) -> None:
        """Raise `ModuleNotFoundError` for the first top-level module of `needs` that is not installed."""
        for module in needs:
            if find_spec(module) is None:
                raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        self.backend = backend
        self._location = location
        self._started: Any = None
        for hook in hooks:
            setattr(self, hook, self._forward(hook))

    @hookimpl
    async def startup(self, context: StartupContext) -> None:
        """Import the backend's class in a thread, then start it. Raises what its own `startup` raises."""
        module, _, name = self._location.partition(":")
        backend = getattr(await asyncio.to_thread(import_module, module), name)()
        await backend.startup(context)
        self._started = backend

    @hookimpl
    async def shutdown(self) -> None:
        """Shut the backend down. May be repeated."""
        backend, self._started = self._started, None
        if backend is not None:
            await backend.shutdown()

    def _forward(self, hook: str) -> Callable[..., Awaitable[object]]:
        @functools.wraps(getattr(specs, hook), updated=())
        async def forward(*arguments: object, **named: object) -> object:
            if self._started is None:
                raise BackendUnavailable(f"the backend {self.backend} was not started")
            return await getattr(self._started, hook)(*arguments, **named)

        return hookimpl(forward)
