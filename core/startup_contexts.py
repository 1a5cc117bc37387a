"""Makes the context that each provider is given at `startup`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from ..hookspecs.providers import Provider, own_settings
from ..hookspecs.values import JSON, StartupContext
from .settings import Settings
from .store.audit import Audit
from .store.database import Database
from .store.provider_data import ProviderStore

_T = TypeVar("_T")


def startup_contexts(
    providers: Iterable[Provider], settings: Settings, database: Database
) -> Mapping[str, StartupContext]:
    """Return a context for each provider, by its name. Call it on the loop that runs the service."""
    loop = asyncio.get_running_loop()

    def wait(awaitable: Awaitable[_T]) -> _T:
        async def result() -> _T:
            return await awaitable

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run_coroutine_threadsafe(result(), loop).result()
        raise RuntimeError("`wait` is for worker threads; on the event loop use `await`")

    audit, service = Audit(database), settings.for_providers()
    return {
        provider.name: StartupContext(
            provider=provider.name,
            settings=own_settings(provider.name),
            service=service,
            store=ProviderStore(database, provider.name),
            audit=_audit_function(audit, provider.name),
            logger=logging.getLogger(f"plugport.provider.{provider.name}"),
            wait=wait,
        )
        for provider in providers
    }


def _audit_function(audit: Audit, provider: str) -> Callable[[str, Mapping[str, JSON]], Awaitable[None]]:
    async def write(what: str, fields: Mapping[str, JSON]) -> None:
        workspace = fields.get("workspace")
        await audit.write(f"provider:{provider}", what, workspace if isinstance(workspace, str) else None, fields)

    return write
