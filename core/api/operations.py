"""Operations: the history, one of them, and its events as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from ...hookspecs import errors
from ..auth import Access
from ..store.operations import Operation
from . import serializers as shown
from .endpoint import Call, Endpoint, Reply, json_response
from .models import OperationOut, OperationPage, OperationQuery


async def list_operations(call: Call) -> Response:
    """The newest first: the workspace's own; all of them for the admin."""
    query: OperationQuery = call.query
    before = int(query.cursor) if query.cursor else None
    found = await call.services.operations.page(_visible(call, query.workspace), before, query.limit + 1)
    rest = str(found[query.limit - 1].seq) if len(found) > query.limit else None
    return json_response(OperationPage(items=[shown.operation(one) for one in found[: query.limit]], next=rest))


async def show_operation(call: Call) -> Response:
    """One operation."""
    return json_response(shown.operation(await _own(call)))


async def watch_operation(call: Call) -> Response:
    """Server-sent events: `status` with the operation, now and after each change; the stream ends with it."""
    operation = await _own(call)
    return EventSourceResponse(_events(call, operation), headers={"Cache-Control": "no-store"})


async def _events(call: Call, operation: Operation) -> AsyncIterator[ServerSentEvent]:
    async for changed in call.services.operations.watch(operation.id):
        yield ServerSentEvent(shown.operation(changed).model_dump_json(), event="status")


def _visible(call: Call, wanted: str | None) -> list[str] | None:
    """The workspaces whose operations the token may see; None: all. Raises `Forbidden`."""
    if call.owner.kind == "admin":
        return None if wanted is None else [wanted]
    if call.owner.kind != "workspace" or wanted not in (None, call.owner.subject):
        raise errors.Forbidden
    return [call.owner.subject]


async def _own(call: Call) -> Operation:
    operation = await call.services.operations.get(call.path("id"))
    if call.owner.kind != "admin" and (call.owner.kind, call.owner.subject) != ("workspace", operation.workspace):
        raise errors.OperationNotFound("it belongs to another workspace")
    return operation


_NOT_FOUND = (errors.OperationNotFound,)
ENDPOINTS = (
    Endpoint(
        "GET", "/operations", list_operations, Access.ANY_TOKEN, {200: Reply(OperationPage)}, query=OperationQuery
    ),
    Endpoint(
        "GET", "/operations/{id}", show_operation, Access.ANY_TOKEN, {200: Reply(OperationOut)}, problems=_NOT_FOUND
    ),
    Endpoint(
        "GET",
        "/operations/{id}/events",
        watch_operation,
        Access.ANY_TOKEN,
        {200: Reply(media_type="text/event-stream")},
        problems=_NOT_FOUND,
    ),
)
