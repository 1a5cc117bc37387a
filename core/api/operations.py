"""Operations: the history, one operation, and the stream of its events."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from ...hookspecs import errors
from ...hookspecs.values import is_name
from ..auth import Access
from ..operations.model import Operation
from .endpoint import Endpoint, Reply, RequestContext, json_response
from .models import OperationOut, OperationPage, OperationQuery
from .serializers import operation_out


async def list_operations(context: RequestContext) -> Response:
    """List operations, newest first: those of the token's workspace; for the admin those of all workspaces."""
    query: OperationQuery = context.query
    before = int(query.cursor) if query.cursor else None
    visible = _visible_workspaces(context, query.workspace)
    rows = await context.services.operations.page(visible, before, query.limit + 1)
    cursor = str(rows[query.limit - 1].seq) if len(rows) > query.limit else None
    items = [operation_out(operation) for operation in rows[: query.limit]]
    return json_response(OperationPage(items=items, next=cursor))


async def show_operation(context: RequestContext) -> Response:
    """Show an operation."""
    return json_response(operation_out(await _visible_operation(context)))


async def watch_operation(context: RequestContext) -> Response:
    """Stream the operation as server-sent events.

    The event `status` has the operation as JSON. It is sent at once and after each change; the stream closes when the
    operation has ended.
    """
    operation = await _visible_operation(context)
    return EventSourceResponse(_events(context, operation), headers={"Cache-Control": "no-store"})


async def _events(context: RequestContext, operation: Operation) -> AsyncIterator[ServerSentEvent]:
    async for changed in context.services.operations.watch(operation.id):
        yield ServerSentEvent(operation_out(changed).model_dump_json(), event="status")


def _visible_workspaces(context: RequestContext, wanted: str | None) -> list[str] | None:
    """Return the workspaces whose operations the token may see; None means all. Raises `Forbidden`."""
    if context.principal.kind == "admin":
        return None if wanted is None else [wanted]
    if context.principal.kind != "workspace" or wanted not in (None, context.principal.subject):
        raise errors.Forbidden
    return [context.principal.subject]


async def _visible_operation(context: RequestContext) -> Operation:
    if not is_name(context.path("id")):
        raise errors.OperationNotFound
    operation = await context.services.operations.get(context.path("id"))
    if context.principal.kind != "admin" and (context.principal.kind, context.principal.subject) != (
        "workspace",
        operation.workspace,
    ):
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
