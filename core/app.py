"""The application: the whole wiring, at a glance."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..hookspecs import errors
from ..hookspecs.providers import Provider
from . import services
from .api import download, operations, orgs, plugins, providers, service, workspaces
from .api.endpoint import Endpoint
from .api.middleware import Edge
from .api.openapi import describe
from .auth import new_token
from .services import Services
from .settings import Settings
from .store.registry import Owner
from .telemetry import Metrics

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
    """The service as an ASGI application. Nothing is opened before its lifespan begins.

    `extra_providers` are at hand already (`inspect_provider`) and join those that are found by entry point.
    Where no admin token is set and none was ever made, one is made at the start and shown once on standard
    error.
    """
    metrics, extra = Metrics(), tuple(extra_providers)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with services.running(settings, metrics, extra, settings.admin_token) as started:
            await _see_to_an_admin(started)
            app.state.services = started
            try:
                yield
            finally:
                app.state.services = None

    app = Starlette(
        routes=_routes(),
        middleware=[Middleware(Edge, metrics=metrics, body_max_bytes=settings.body_max_bytes)],
        exception_handlers={HTTPException: _refused_by_the_router},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.services = None
    app.state.openapi = describe(ENDPOINTS, version("plugport"))
    return app


def _routes() -> list[Route]:
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in ENDPOINTS:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [_route(path, methods) for path, methods in by_path.items()]


def _route(path: str, methods: dict[str, Endpoint]) -> Route:
    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await methods[method](request)

    return Route(path, answer, methods=list(methods))


async def _refused_by_the_router(request: Request, refusal: Exception) -> Response:
    if isinstance(refusal, HTTPException) and refusal.status_code == 405:
        allowed = (refusal.headers or {}).get("Allow", "")
        raise errors.MethodNotAllowed(sorted(one.strip() for one in allowed.split(",") if one.strip()))
    raise errors.RouteNotFound


async def _see_to_an_admin(started: Services) -> None:
    if started.settings.admin_token is not None or await started.tokens.any_admin():
        return
    token = new_token()
    await started.tokens.add(token, Owner("admin", "admin"))
    print(f"plugport: the admin's token, shown this once: {token}", file=sys.stderr, flush=True)
