"""The service about itself: probes, metrics, and its own description."""

from __future__ import annotations

from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import HTMLResponse, JSONResponse, Response

from ...hookspecs import errors
from ...hookspecs.values import JSON
from ..auth import Access
from .endpoint import Call, Endpoint, Reply, json_response
from .models import Health
from .openapi import page


async def livez(call: Call) -> Response:
    """Whether the process answers."""
    return json_response(Health(status="alive"))


async def readyz(call: Call) -> Response:
    """Whether requests can be served: the database answers."""
    try:
        async with call.services.database.reading() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        raise errors.NotReady("the database does not answer") from error
    return json_response(Health(status="ready"))


async def metrics(call: Call) -> Response:
    """Metrics in Prometheus' text format."""
    return Response(generate_latest(call.services.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def openapi(call: Call) -> Response:
    """This description, as OpenAPI 3.1."""
    return JSONResponse(call.request.app.state.openapi)


async def docs(call: Call) -> Response:
    """The routes, for people."""
    document: dict[str, JSON] = call.request.app.state.openapi
    return HTMLResponse(page(document))


_get = partial(Endpoint, "GET", access=Access.ANYONE)
ENDPOINTS = (
    _get("/livez", livez, replies={200: Reply(Health)}),
    _get("/readyz", readyz, replies={200: Reply(Health)}, problems=(errors.NotReady,)),
    _get("/metrics", metrics, replies={200: Reply(media_type="text/plain")}),
    _get("/openapi.json", openapi, replies={200: Reply(dict)}),
    _get("/docs", docs, replies={200: Reply(media_type="text/html")}),
)
