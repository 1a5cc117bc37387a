"""Keeps an SDK out of discovery: importing boto3 or docker-py costs some hundred milliseconds, looking for it one."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..hookspecs import StartupContext, hookimpl, specs
from ..hookspecs.errors import BackendUnavailable


class LazyBackend:
    """A provider that stands for a backend's class, `module:Class`, and imports it at `startup`.

    It implements `startup`, `shutdown` and each hook of `hooks`, which maps a hook's name to the arguments that the
    class takes. The class implements the same hooks, all of them as `async def`. A hook that is called before
    `startup` or after `shutdown` raises `BackendUnavailable`.
    """

    def __init__(
        self, backend: str, location: str, hooks: Mapping[str, Sequence[str]], *, needs: Iterable[str]
    ) -> None:
        """Raise `ModuleNotFoundError` for the first top-level module of `needs` that is not installed."""
        for module in needs:
            if find_spec(module) is None:
                raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        self.backend = backend
        self._location = location
        self._started: Any = None
        for hook, arguments in hooks.items():
            setattr(self, hook, self._forward(hook, arguments))

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

    def _forward(self, hook: str, arguments: Sequence[str]) -> Callable[..., Awaitable[object]]:
        specification = getattr(specs, hook)
        signature = inspect.signature(specification)

        @functools.wraps(specification, updated=())
        async def forward(*values: object, **named: object) -> object:
            if self._started is None:
                raise BackendUnavailable(f"the backend {self.backend} was not started")
            return await getattr(self._started, hook)(*values, **named)

        taken = [signature.parameters[argument] for argument in arguments]
        setattr(forward, "__signature__", signature.replace(parameters=taken))  # noqa: B010 - unknown to mypy
        return hookimpl(forward)
