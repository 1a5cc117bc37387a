"""The application: `create_app(settings)` and all its wiring."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..hookspecs import errors
from ..hookspecs.providers import Provider, ProviderStatus, discover
from .api import download, operations, orgs, plugins, problems, providers, service, workspaces
from .api.endpoint import Endpoint
from .api.middleware import RequestMiddleware
from .api.openapi import describe
from .auth import Authenticator, new_token
from .catalog_contents import CatalogContents
from .dispatcher import Dispatcher, ProviderFailed
from .operations.notifier import Notifier
from .operations.runner import Handlers, Operations
from .pipeline.activate import Activator
from .pipeline.admission import AdmissionChecks
from .pipeline.cache import ArchiveCache
from .pipeline.fetch import Fetcher
from .pipeline.install import Installer
from .pipeline.record import Recorder
from .pipeline.restore import Restorer
from .pipeline.uninstall import Uninstaller
from .services import Services
from .settings import Settings
from .startup_contexts import startup_contexts
from .store.allowlists import Allowlists
from .store.audit import Audit
from .store.database import Database
from .store.installed import InstalledPlugins
from .store.tokens import Principal, Tokens
from .store.workspaces import Workspaces
from .telemetry import Metrics
from .workspace_resolver import WorkspaceResolver

log = logging.getLogger("plugport.providers")

ENDPOINTS: tuple[Endpoint, ...] = (
    *service.ENDPOINTS,
    *plugins.ENDPOINTS,
    *download.ENDPOINTS,
    *workspaces.ENDPOINTS,
    *orgs.ENDPOINTS,
    *operations.ENDPOINTS,
    *providers.ENDPOINTS,
)
"""Every endpoint of the service, in the order in which /openapi.json shows them."""


def create_app(settings: Settings, *, extra_providers: Iterable[Provider] = ()) -> Starlette:
    """Make the service as an ASGI application. Nothing is opened before its lifespan begins.

    `extra_providers` join those that are found by entry point. If no admin token is set and none was ever made, the
    start makes one and shows it once on standard error.
    """
    metrics, extra = Metrics(), tuple(extra_providers)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _running_services(settings, metrics, extra) as services:
            await _ensure_admin_token(services)
            app.state.services = services
            try:
                yield
            finally:
                app.state.services = None

    app = Starlette(
        routes=_routes(),
        middleware=[Middleware(RequestMiddleware, metrics=metrics, body_max_bytes=settings.body_max_bytes)],
        exception_handlers={HTTPException: _raise_routing_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.services = None
    app.state.openapi = _openapi()
    return app


@cache
def _openapi() -> dict[str, Any]:
    """Describe the service, once for all applications of this process: it takes longer than all else here."""
    return describe(ENDPOINTS, version("plugport"))


@asynccontextmanager
async def _running_services(
    settings: Settings, metrics: Metrics, extra_providers: Sequence[Provider]
) -> AsyncIterator[Services]:
    """Load the providers, open the database, start the providers and the operations; stop all of it at the end.

    Raises SQLAlchemy's errors if the database cannot be opened, `DuplicateProvider`, and `ProviderFailed` under
    `strict_providers`.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.catalog_dir.mkdir(parents=True, exist_ok=True)
    dispatcher = Dispatcher(
        [*discover(allowed=settings.providers_allow, blocked=settings.providers_block), *extra_providers],
        timeout=settings.hook_timeout,
        trace=settings.trace_hooks,
    )
    _log_problems(dispatcher.providers)
    _refuse_failed(dispatcher.providers, settings)
    database = await Database.open(settings.url)
    try:
        await dispatcher.startup(startup_contexts(dispatcher.providers, settings, database))
        _refuse_failed(dispatcher.providers, settings)
        statuses = Counter(provider.status for provider in dispatcher.providers)
        for status in ProviderStatus:
            metrics.providers.labels(status.value).set(statuses[status])
        services = _wire(settings, metrics, dispatcher, database)
        await services.operations.start()
        try:
            yield services
        finally:
            await services.operations.stop()
    finally:
        await dispatcher.shutdown()
        await database.close()


def _wire(settings: Settings, metrics: Metrics, dispatcher: Dispatcher, database: Database) -> Services:
    """Make every part of the application and hand each to the parts that use it."""
    workspace_rows, tokens, allowlists = Workspaces(database), Tokens(database), Allowlists(database)
    installed, audit = InstalledPlugins(database), Audit(database)
    resolver = WorkspaceResolver(dispatcher, workspace_rows, settings.layout_of_runtime)
    admission = AdmissionChecks(dispatcher, allowlists)
    recorder = Recorder(installed, audit, dispatcher)
    cache = ArchiveCache(settings.data_dir / "cache", settings.cache_bytes)
    fetcher = Fetcher(
        dispatcher,
        cache,
        settings.data_dir / "work",
        timeout=settings.fetch_seconds,
        max_bytes=settings.max_tree_bytes,
        max_files=settings.max_tree_files,
    )
    timeout = settings.delivery_seconds
    activator = Activator(dispatcher, settings.data_dir / "work", settings.ask_seconds)
    installer = Installer(resolver, dispatcher, admission, fetcher, recorder, activator, timeout)
    uninstaller = Uninstaller(resolver, dispatcher, admission, recorder, timeout)
    restorer = Restorer(resolver, dispatcher, admission, recorder, timeout)
    return Services(
        settings=settings,
        database=database,
        dispatcher=dispatcher,
        workspaces=workspace_rows,
        resolver=resolver,
        tokens=tokens,
        allowlists=allowlists,
        authenticator=Authenticator(tokens, settings.admin_token, settings.rate_limit),
        admission=admission,
        fetcher=fetcher,
        cache=cache,
        catalog_contents=CatalogContents(
            dispatcher, settings.catalog_dir, settings.max_tree_bytes, settings.max_tree_files
        ),
        recorder=recorder,
        installed=installed,
        audit=audit,
        operations=Operations(
            database,
            Handlers(installer.install, uninstaller.uninstall, restorer.restore),
            problems.document,
            exclusive=settings.url.startswith("sqlite"),
            concurrency=settings.concurrency,
            on_end=Notifier(metrics, audit, dispatcher).operation_ended,
        ),
        metrics=metrics,
    )


def _routes() -> list[Route]:
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in ENDPOINTS:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [_route(path, methods) for path, methods in by_path.items()]


def _route(path: str, methods: dict[str, Endpoint]) -> Route:
    async def call_endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await methods[method](request)

    return Route(path, call_endpoint, methods=list(methods))


async def _raise_routing_error(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        raise errors.MethodNotAllowed(sorted(method.strip() for method in allowed.split(",") if method.strip()))
    raise errors.RouteNotFound


async def _ensure_admin_token(services: Services) -> None:
    if services.settings.admin_token is not None or await services.tokens.has_admin():
        return
    token = new_token()
    await services.tokens.add(token, Principal("admin", "admin"))
    print(f"plugport: the admin's token, shown this once: {token}", file=sys.stderr, flush=True)


def _refuse_failed(loaded: Iterable[Provider], settings: Settings) -> None:
    failed = [provider for provider in loaded if provider.status is ProviderStatus.FAILED]
    if failed and settings.strict_providers:
        raise ProviderFailed("; ".join(f"{provider.label}: {provider.reason}" for provider in failed))


def _log_problems(loaded: Iterable[Provider]) -> None:
    """Log each failed provider, and the notes on the others for their authors and operators."""
    for provider in loaded:
        if provider.status is ProviderStatus.FAILED:
            log.error("the provider %s failed: %s", provider.label, provider.reason)
        for note in provider.notes:
            log.warning("the provider %s: %s", provider.label, note)
