"""Registered workspaces and their tokens, for the admin."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace

from starlette.responses import Response

from ...hookspecs import errors
from ...hookspecs.values import PathKind, TargetQuery, Workspace, is_name
from ..auth import Access, new_token
from ..pipeline.admission import require_running
from ..registration import check_registration, runtime_warnings
from ..store.provider_data import ProviderStore
from ..store.tokens import Principal
from .endpoint import Endpoint, Reply, RequestContext, json_response
from .models import (
    AgentFound,
    AgentsFound,
    PageQuery,
    TokenOut,
    WorkspaceChange,
    WorkspaceNew,
    WorkspaceOut,
    WorkspacePage,
    WorkspaceRegistered,
)
from .serializers import workspace_out, workspace_registered

_REACH = frozenset({"runtime", "backend", "container", "instance_id", "options", "layout"})
_HOST_KEY_PREFIX = "host-key/"
"""A provider's store holds a pinned key under `host-key/<account>/<region>/<instance id>`."""


async def add_workspace(context: RequestContext) -> Response:
    """Register a workspace."""
    body: WorkspaceNew = context.body
    fields = body.model_dump()
    workspace = Workspace(**fields | {"options": fields["options"] or {}})
    await _check(context, workspace, fields)
    await context.services.workspaces.add(workspace)
    await context.audit("workspace.added", workspace.id, {"org": workspace.org})
    reply = workspace_registered(context.services.resolver.filled(workspace), await _warnings(context, workspace))
    return json_response(reply, 201, {"Location": f"/workspaces/{workspace.id}"})


async def list_workspaces(context: RequestContext) -> Response:
    """List the registered workspaces, ordered by id."""
    query: PageQuery = context.query
    rows = await context.services.workspaces.page(query.cursor or "", query.limit + 1)
    cursor = rows[query.limit - 1].id if len(rows) > query.limit else None
    items = [workspace_out(context.services.resolver.filled(workspace)) for workspace in rows[: query.limit]]
    return json_response(WorkspacePage(items=items, next=cursor))


async def show_workspace(context: RequestContext) -> Response:
    """Show a workspace, with its run state. An install asks for the same state."""
    workspace = await context.workspace()
    return json_response(workspace_out(workspace, await context.services.dispatcher.is_running(workspace)))


async def change_workspace(context: RequestContext) -> Response:
    """Change a registered workspace. Fields that you leave out keep their value; null removes them."""
    body: WorkspaceChange = context.body
    workspace = await context.services.workspaces.get(_registered_id(context))
    if workspace is None:
        raise errors.WorkspaceNotFound
    changes = body.model_dump(include=body.model_fields_set)
    if "options" in changes:
        changes["options"] = changes["options"] or {}
    workspace = replace(workspace, **changes)
    await _check(context, workspace, changes)
    await context.services.workspaces.change(workspace)
    await context.audit("workspace.changed", workspace.id, {"fields": sorted(changes)})
    filled = context.services.resolver.filled(workspace)
    return json_response(workspace_registered(filled, await _warnings(context, workspace)))


async def remove_workspace(context: RequestContext) -> Response:
    """Delete a workspace, its tokens and the record of its plugins. Nothing on the target is changed."""
    workspace_id = _registered_id(context)
    await context.services.workspaces.remove(workspace_id)
    await context.audit("workspace.removed", workspace_id, {})
    return Response(status_code=204)


async def detect_agents(context: RequestContext) -> Response:
    """Look on the workspace's target for the folders of the agents that the layouts know."""
    workspace, dispatcher = await context.workspace(), context.services.dispatcher
    require_running(await dispatcher.is_running(workspace))
    folders = {layout: folder for each in dispatcher.providers for layout, folder in each.config_dirs.items()}
    if not dispatcher.can_inspect(workspace):
        raise errors.UnsupportedTarget("the backend cannot look at its targets")
    state = await dispatcher.inspect_target(workspace, TargetQuery(tuple(sorted(set(folders.values())))))
    agents = [
        AgentFound(layout=layout, config_dir=f"{state.home}/{folder.removeprefix('~/')}", home=state.home or "")
        for layout, folder in sorted(folders.items())
        if state.home and state.paths[folder].kind is not PathKind.ABSENT
    ]
    return json_response(AgentsFound(items=agents))


async def make_workspace_token(context: RequestContext) -> Response:
    """Make a token that opens only this workspace."""
    workspace, token = await context.workspace(), new_token()
    await context.services.tokens.add(token, Principal("workspace", workspace.id))
    await context.audit("token.made", workspace.id, {"kind": "workspace"})
    return json_response(TokenOut(token=token), 201, {"Cache-Control": "no-store"})


async def forget_host_key(context: RequestContext) -> Response:
    """Delete the pinned host key of the workspace's instance. The next connection pins a new one. May be repeated."""
    workspace, services = await context.workspace(), context.services
    deleted = 0
    for provider in services.dispatcher.providers:
        if provider.backend == workspace.backend:
            store = ProviderStore(services.database, provider.name)
            deleted += await store.delete_matching(_HOST_KEY_PREFIX, f"/{workspace.instance_id}")
    await context.audit("host-key.forgotten", workspace.id, {"instance_id": workspace.instance_id, "keys": deleted})
    return Response(status_code=204)


async def _check(context: RequestContext, workspace: Workspace, fields: Collection[str]) -> None:
    """Check the fields that decide how the workspace is reached, if any of them is given. Raises `InvalidRequest`."""
    if not _REACH.isdisjoint(fields):
        findings = await check_registration(workspace, context.services.dispatcher)
        if findings:
            raise errors.InvalidRequest(
                *(errors.FieldProblem(f"body.{finding.where}", finding.what) for finding in findings)
            )


async def _warnings(context: RequestContext, workspace: Workspace) -> list[str]:
    settings = context.services.settings
    return await asyncio.to_thread(runtime_warnings, workspace, settings.catalog_dir, settings.config_dirs)


def _registered_id(context: RequestContext) -> str:
    """Return the path's id. Raises `WorkspaceNotFound` for one that no workspace can have."""
    if not is_name(context.path("id")):
        raise errors.WorkspaceNotFound
    return context.path("id")


_ADMIN = Access.ADMIN
ENDPOINTS = (
    Endpoint(
        "POST",
        "/workspaces",
        add_workspace,
        _ADMIN,
        {201: Reply(WorkspaceRegistered, headers={"Location": "the workspace's own route"})},
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
        {200: Reply(WorkspaceRegistered)},
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
        "GET",
        "/workspaces/{id}/agents",
        detect_agents,
        _ADMIN,
        {200: Reply(AgentsFound)},
        problems=(
            errors.WorkspaceNotFound,
            errors.WorkspaceNotRunning,
            errors.BackendUnavailable,
            errors.UnsupportedTarget,
            errors.PushNotSupported,
        ),
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
