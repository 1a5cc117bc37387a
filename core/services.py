"""All that lives as long as the application, made once and handed to every handler."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from ..hookspecs.providers import Provider, ProviderStatus, discover, own_settings
from ..hookspecs.values import JSON, StartupContext
from .api import problems
from .auth import Gatekeeper
from .dispatcher import Dispatcher, ProviderFailed
from .operations.notifier import Announcer
from .operations.runner import Operations
from .pipeline.admission import Refusals
from .pipeline.cache import ArchiveCache
from .pipeline.fetch import Fetcher
from .pipeline.install import Pipeline
from .settings import Settings
from .store.database import Database
from .store.ledger import Audit, Ledger, ProviderStore
from .store.registry import Allowlists, Tokens, Workspaces
from .telemetry import Metrics
from .workspace_resolver import Directory

log = logging.getLogger("plugport.providers")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers use."""

    settings: Settings
    database: Database
    dispatcher: Dispatcher
    workspaces: Workspaces
    directory: Directory
    tokens: Tokens
    allowlists: Allowlists
    gatekeeper: Gatekeeper
    refusals: Refusals
    fetcher: Fetcher
    cache: ArchiveCache
    pipeline: Pipeline
    ledger: Ledger
    audit: Audit
    operations: Operations
    metrics: Metrics

    async def forget_keys(self, backend: str, prefix: str, suffix: str) -> int:
        """Delete, in the store of the backend's provider, every key with this prefix and suffix; how many."""
        owners = [one.name for one in self.dispatcher.providers if one.backend == backend]
        forgotten = 0
        for store in (ProviderStore(self.database, name) for name in owners):
            for key in await store.keys(prefix):
                forgotten += key.endswith(suffix) and await store.delete(key)
        return forgotten


@asynccontextmanager
async def running(
    settings: Settings, metrics: Metrics, extra: Iterable[Provider], admin_token: str | None
) -> AsyncIterator[Services]:
    """Open the database, load and start the providers, take up open operations; and all of it back at the end.

    Raises SQLAlchemy's errors where the database cannot be opened, `DuplicateProvider`, and `ProviderFailed`
    under `strict_providers`.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.registry.mkdir(parents=True, exist_ok=True)
    dispatcher = Dispatcher(
        [*discover(allowed=settings.allowed, blocked=settings.blocked), *extra],
        timeout=settings.hook_timeout,
        trace=settings.trace_hooks,
    )
    _report(dispatcher)
    _require_all(dispatcher, settings)
    database = await Database.open(settings.url)
    try:
        await dispatcher.startup(_contexts(dispatcher, settings, database))
        _require_all(dispatcher, settings)
        _count(dispatcher, metrics)
        services = _wire(settings, metrics, dispatcher, database, admin_token)
        await services.operations.start()
        try:
            yield services
        finally:
            await services.operations.stop()
    finally:
        await dispatcher.shutdown()
        await database.close()


def _wire(
    settings: Settings, metrics: Metrics, dispatcher: Dispatcher, database: Database, admin_token: str | None
) -> Services:
    rows, tokens, allowlists = Workspaces(database), Tokens(database), Allowlists(database)
    ledger, audit = Ledger(database), Audit(database)
    cache = ArchiveCache(settings.data_dir / "cache", settings.cache_bytes)
    directory = Directory(dispatcher, rows)
    refusals = Refusals(dispatcher, allowlists)
    fetcher = Fetcher(
        dispatcher,
        cache,
        settings.data_dir / "work",
        timeout=settings.fetch_seconds,
        max_bytes=settings.max_tree_bytes,
        max_files=settings.max_tree_files,
    )
    pipeline = Pipeline(directory, dispatcher, refusals, fetcher, ledger, audit, settings.delivery_seconds)
    operations = Operations(
        database,
        pipeline,
        problems.document,
        exclusive=settings.url.startswith("sqlite"),
        concurrency=settings.concurrency,
        on_end=Announcer(metrics, audit, dispatcher).ended,
    )
    return Services(
        settings=settings,
        database=database,
        dispatcher=dispatcher,
        workspaces=rows,
        directory=directory,
        tokens=tokens,
        allowlists=allowlists,
        gatekeeper=Gatekeeper(tokens, admin_token, settings.rate_limit),
        refusals=refusals,
        fetcher=fetcher,
        cache=cache,
        pipeline=pipeline,
        ledger=ledger,
        audit=audit,
        operations=operations,
        metrics=metrics,
    )


def _contexts(dispatcher: Dispatcher, settings: Settings, database: Database) -> Mapping[str, StartupContext]:
    loop = asyncio.get_running_loop()

    def wait(awaitable: Awaitable[_T]) -> _T:
        async def run() -> _T:
            return await awaitable

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run_coroutine_threadsafe(run(), loop).result()
        raise RuntimeError("`wait` is for worker threads: on the loop, await it")

    audit, told = Audit(database), settings.for_providers()
    return {
        provider.name: StartupContext(
            provider=provider.name,
            settings=own_settings(provider.name),
            service=told,
            store=ProviderStore(database, provider.name),
            audit=_audit_of(audit, provider.name),
            logger=logging.getLogger(f"plugport.provider.{provider.name}"),
            wait=wait,
        )
        for provider in dispatcher.providers
    }


def _audit_of(audit: Audit, provider: str) -> Callable[[str, Mapping[str, JSON]], Awaitable[None]]:
    async def write(what: str, fields: Mapping[str, JSON]) -> None:
        workspace = fields.get("workspace")
        await audit.write(f"provider:{provider}", what, workspace if isinstance(workspace, str) else None, fields)

    return write


def _require_all(dispatcher: Dispatcher, settings: Settings) -> None:
    failed = [one for one in dispatcher.providers if one.status is ProviderStatus.FAILED]
    if failed and settings.strict_providers:
        raise ProviderFailed("; ".join(f"{one.label}: {one.reason}" for one in failed))


def _report(dispatcher: Dispatcher) -> None:
    """Tell of each provider what its author or operator must know."""
    for provider in dispatcher.providers:
        if provider.status is ProviderStatus.FAILED:
            log.error("the provider %s failed: %s", provider.label, provider.reason)
        for note in provider.notes:
            log.warning("the provider %s: %s", provider.label, note)


def _count(dispatcher: Dispatcher, metrics: Metrics) -> None:
    counted = Counter(provider.status for provider in dispatcher.providers)
    for status in ProviderStatus:
        metrics.providers.labels(status.value).set(counted[status])
