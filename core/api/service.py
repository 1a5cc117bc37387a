"""The service itself: probes, metrics, and the description of the API."""

from __future__ import annotations

import asyncio
from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import HTMLResponse, JSONResponse, Response

from ...hookspecs import errors
from ..auth import Access
from ..disk_space import Unwritable, require_space
from .endpoint import Endpoint, Reply, RequestContext, json_response
from .models import Health
from .openapi import page


async def livez(context: RequestContext) -> Response:
    """Say that the process answers."""
    return json_response(Health(status="alive"))


async def readyz(context: RequestContext) -> Response:
    """Say whether the service can handle requests: the database answers, and the data directory has room."""
    settings = context.services.settings
    try:
        await context.services.database.fetch(text("SELECT 1"))
        await asyncio.to_thread(require_space, settings.data_dir, settings.min_free_bytes)
    except Unwritable as error:
        raise errors.NotReady(str(error), error.fault) from error
    except (SQLAlchemyError, OSError) as error:
        raise errors.NotReady("the database does not answer", errors.ReadinessFault.DATABASE) from error
    return json_response(Health(status="ready"))


async def metrics(context: RequestContext) -> Response:
    """Show the metrics in Prometheus' text format."""
    return Response(generate_latest(context.services.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def openapi(context: RequestContext) -> Response:
    """Show this description as OpenAPI 3.1."""
    return JSONResponse(context.request.app.state.openapi)


async def docs(context: RequestContext) -> Response:
    """Show the routes as a page for people."""
    return HTMLResponse(page(context.request.app.state.openapi))


_get = partial(Endpoint, "GET", access=Access.ANYONE)
ENDPOINTS = (
    _get("/livez", livez, replies={200: Reply(Health)}),
    _get("/readyz", readyz, replies={200: Reply(Health)}, problems=(errors.NotReady,)),
    _get("/metrics", metrics, replies={200: Reply(media_type="text/plain")}),
    _get("/openapi.json", openapi, replies={200: Reply(dict)}),
    _get("/docs", docs, replies={200: Reply(media_type="text/html")}),
)
