"""Workspaces and their tokens: the admin's."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from ...hookspecs import errors
from ...hookspecs.values import Workspace
from ..auth import Access, new_token
from ..store.registry import Owner
from . import serializers as shown
from .endpoint import Call, Endpoint, Reply, json_response
from .models import PageQuery, TokenOut, WorkspaceChange, WorkspaceNew, WorkspaceOut, WorkspacePage

HOST_KEY_PREFIX = "host-key/"
"""Under `host-key/<account>/<region>/<instance id>` a provider's store holds a pinned key."""


async def add_workspace(call: Call) -> Response:
    """Register a workspace."""
    given: WorkspaceNew = call.body
    fields = given.model_dump()
    added = Workspace(**fields | {"options": fields["options"] or {}})
    await call.services.workspaces.add(added)
    await call.services.audit.write(call.actor, "workspace.added", added.id, {"org": added.org})
    return json_response(shown.workspace(added), 201, {"Location": f"/workspaces/{added.id}"})


async def list_workspaces(call: Call) -> Response:
    """The registered workspaces, by id."""
    page: PageQuery = call.query
    found = await call.services.workspaces.page(page.cursor or "", page.limit + 1)
    rest = found[page.limit - 1].id if len(found) > page.limit else None
    return json_response(WorkspacePage(items=[shown.workspace(one) for one in found[: page.limit]], next=rest))


async def show_workspace(call: Call) -> Response:
    """One workspace, with its run state: the same answer that an install goes by."""
    found = await call.services.directory.find(call.path("id"))
    return json_response(shown.workspace(found, await call.services.dispatcher.is_running(found)))


async def change_workspace(call: Call) -> Response:
    """Change a registered workspace: what is left out stays, null clears."""
    given: WorkspaceChange = call.body
    row = await call.services.workspaces.get(call.path("id"))
    if row is None:
        raise errors.WorkspaceNotFound
    changes = given.model_dump(include=given.model_fields_set)
    if "options" in changes:
        changes["options"] = changes["options"] or {}
    changed = replace(row, **changes)
    await call.services.workspaces.change(changed)
    await call.services.audit.write(call.actor, "workspace.changed", changed.id, {"fields": sorted(changes)})
    return json_response(shown.workspace(changed))


async def remove_workspace(call: Call) -> Response:
    """Forget a workspace, its tokens and what is recorded of its plugins. Nothing on the target is touched."""
    await call.services.workspaces.remove(call.path("id"))
    await call.services.audit.write(call.actor, "workspace.removed", call.path("id"), {})
    return Response(status_code=204)


async def make_workspace_token(call: Call) -> Response:
    """Make a token that opens this workspace alone."""
    found = await call.services.directory.find(call.path("id"))
    token = new_token()
    await call.services.tokens.add(token, Owner("workspace", found.id))
    await call.services.audit.write(call.actor, "token.made", found.id, {"kind": "workspace"})
    return json_response(TokenOut(token=token), 201, {"Cache-Control": "no-store"})


async def forget_host_key(call: Call) -> Response:
    """Forget the pinned host key of the workspace's instance; the next contact is a first one. May be repeated."""
    found = await call.services.directory.find(call.path("id"))
    forgotten = await call.services.forget_keys(found.backend or "", HOST_KEY_PREFIX, f"/{found.instance_id}")
    await call.services.audit.write(
        call.actor, "host-key.forgotten", found.id, {"instance_id": found.instance_id, "keys": forgotten}
    )
    return Response(status_code=204)


_ADMIN = Access.ADMIN
ENDPOINTS = (
    Endpoint(
        "POST",
        "/workspaces",
        add_workspace,
        _ADMIN,
        {201: Reply(WorkspaceOut, headers={"Location": "the workspace's own route"})},
        body=WorkspaceNew,
        problems=(errors.WorkspaceExists,),
    ),
    Endpoint("GET", "/workspaces", list_workspaces, _ADMIN, {200: Reply(WorkspacePage)}, query=PageQuery),
    Endpoint(
        "GET",
        "/workspaces/{id}",
        show_workspace,
        _ADMIN,
        {200: Reply(WorkspaceOut)},
        problems=(errors.WorkspaceNotFound,),
    ),
    Endpoint(
        "PATCH",
        "/workspaces/{id}",
        change_workspace,
        _ADMIN,
        {200: Reply(WorkspaceOut)},
        body=WorkspaceChange,
        problems=(errors.WorkspaceNotFound,),
    ),
    Endpoint(
        "DELETE",
        "/workspaces/{id}",
        remove_workspace,
        _ADMIN,
        {204: Reply()},
        problems=(errors.WorkspaceNotFound,),
    ),
    Endpoint(
        "POST",
        "/workspaces/{id}/tokens",
        make_workspace_token,
        _ADMIN,
        {201: Reply(TokenOut)},
        problems=(errors.WorkspaceNotFound,),
    ),
    Endpoint(
        "DELETE",
        "/workspaces/{id}/host-key",
        forget_host_key,
        _ADMIN,
        {204: Reply()},
        problems=(errors.WorkspaceNotFound,),
    ),
)
