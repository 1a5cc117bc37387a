"""The plugins of a workspace: what it has, what it can have, install and uninstall."""

from __future__ import annotations

import asyncio

from starlette.responses import JSONResponse, Response

from ...hookspecs import errors
from ...hookspecs.values import PolicyRequest, Source, Workspace
from ..auth import Access
from ..catalog import read_catalog
from ..inventory import inventory
from ..operations.model import InstallRequest, NewOperation, Operation, Request, RestoreRequest, UninstallRequest
from ..pipeline.manifest import validate_name
from ..pipeline.plugin_names import validate_new_name
from . import problems
from .endpoint import Endpoint, Reply, RequestContext, json_response
from .models import (
    CatalogPluginOut,
    Install,
    Installed,
    OperationOut,
    PluginOut,
    RequiredRuntimeQuery,
    Restore,
    Restored,
    RuntimeQuery,
    Schemes,
    Uninstalled,
    UninstallQuery,
)
from .serializers import catalog_plugin_out, operation_out, plugin_out
from .validation import invalid


async def list_catalog(context: RequestContext) -> Response:
    """List the catalog: the curated plugins behind `local://`. With `runtime`, only those that support it."""
    return await _catalog(context, context.query.runtime)


async def list_schemes(context: RequestContext) -> Response:
    """List the schemes that a source may have."""
    return json_response(Schemes(schemes=list(context.services.dispatcher.schemes)))


async def list_plugins(context: RequestContext) -> Response:
    """List the plugins of the workspace as they lie on the target, and how they differ from what was recorded."""
    workspace = await context.workspace()
    return await _inventory(context, workspace, workspace.runtime)


async def list_available(context: RequestContext) -> Response:
    """List the plugins of the catalog that support the workspace's runtime."""
    return await _catalog(context, (await context.workspace()).runtime)


async def list_compatibility(context: RequestContext) -> Response:
    """List the workspace's plugins, and whether each supports another runtime."""
    return await _inventory(context, await context.workspace(), context.query.runtime)


async def install_plugin(context: RequestContext) -> Response:
    """Install a plugin. The reply comes after the plugin was read back from the target.

    With `Prefer: respond-async` the reply is 202 as soon as the checks that need no fetch have passed.
    """
    body: Install = context.body
    source = Source.parse(body.source)
    name = None if body.name is None else validate_new_name(body.name)
    request = InstallRequest(
        source,
        body.digest,
        body.sha256,
        body.restart,
        name,
        body.replace,
        body.adopt,
        tuple(dict.fromkeys(body.grant)),
        body.ask,
        body.require_seen,
    )
    return await _submit(context, request)


async def uninstall_plugin(context: RequestContext) -> Response:
    """Remove exactly what the install and the runtime's adaptor added.

    What somebody edited stays, and `left` names it.
    """
    name = validate_name(context.path("name"))
    return await _submit(context, UninstallRequest(name, context.query.restart, context.query.adopt))


async def restore_plugin(context: RequestContext) -> Response:
    """Put back the files of the plugin's directory that somebody had edited, and that were set aside."""
    body: Restore = context.body
    return await _submit(context, RestoreRequest(validate_name(context.path("name")), body.kept))


async def _submit(context: RequestContext, request: Request) -> Response:
    """Check and submit an operation, or find it by its idempotency key; reply at once or when it has ended."""
    services, workspace = context.services, await context.workspace()
    new = NewOperation(workspace.id, context.actor, context.request_id, request, _idempotency_key(context))
    operation = await services.operations.find_submitted(new)
    if operation is None:
        policy_request = PolicyRequest(request.action, workspace, request.source, context.actor)
        await services.admission.check_before_fetch(policy_request, request.plugin)
        operation = await services.operations.submit(new)
    if "respond-async" in _preferences(context):
        headers = {"Location": f"/operations/{operation.id}", "Preference-Applied": "respond-async"}
        return json_response(operation_out(operation), 202, headers)
    return _final_response(await services.operations.wait(operation.id), context.request.url.path)


def _final_response(operation: Operation, path: str) -> Response:
    if operation.status == "succeeded":
        return JSONResponse(dict(operation.result or {}))
    return problems.stored({**(operation.error or {}), "instance": path, "operation": operation.id})


def _idempotency_key(context: RequestContext) -> str | None:
    key = context.request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise invalid("header.idempotency-key", "has 1 to 255 printable ASCII characters")
    return key


def _preferences(context: RequestContext) -> set[str]:
    header = ",".join(context.request.headers.getlist("prefer"))
    return {preference.partition(";")[0].strip().lower() for preference in header.split(",")}


async def _inventory(context: RequestContext, workspace: Workspace, runtime: str | None) -> Response:
    items = await inventory(context.services.dispatcher, context.services.installed, workspace)
    return json_response([plugin_out(item, runtime) for item in items])


async def _catalog(context: RequestContext, runtime: str | None) -> Response:
    plugins = await asyncio.to_thread(read_catalog, context.services.settings.catalog_dir)
    supported = [plugin for plugin in plugins if plugin.supports(runtime)]
    contents = await context.services.catalog_contents.of(supported)
    return json_response([catalog_plugin_out(*pair) for pair in zip(supported, contents, strict=True)])


_TARGET = (errors.WorkspaceNotFound, errors.WorkspaceNotRunning, errors.BackendUnavailable)
_CHANGE = (
    *_TARGET,
    errors.InvalidPluginName,
    errors.PluginNotAllowed,
    errors.PluginNotFound,
    errors.IdempotencyConflict,
    errors.HostKeyMismatch,
    errors.PushNotSupported,
    errors.UnsupportedTarget,
    errors.PolicyUnavailable,
    errors.DeliveryFailed,
    errors.DeliveryTimeout,
)
FETCH = (
    errors.InvalidSource,
    errors.UnknownScheme,
    errors.NameMismatch,
    errors.InvalidPluginName,
    errors.PluginNotAllowed,
    errors.PluginNotFound,
    errors.BundleTooLarge,
    errors.UnpinnedSource,
    errors.DigestMismatch,
    errors.ManifestInvalid,
    errors.UnsafeBundle,
    errors.SourceUnavailable,
    errors.SourceTimeout,
    errors.PolicyUnavailable,
)
"""The errors between a source and a bundle."""

_HEADERS = {
    "Idempotency-Key": "makes a repeated request the same operation; per workspace",
    "Prefer": "respond-async: reply 202 at once, with the operation's route",
}
_ASYNC = Reply(OperationOut, description="Accepted", headers={"Location": "the operation's own route"})
_PLUGINS = "/workspaces/{id}/plugins"
ENDPOINTS = (
    Endpoint(
        "GET",
        "/plugins",
        list_catalog,
        Access.ANYONE,
        {200: Reply(list[CatalogPluginOut])},
        query=RuntimeQuery,
        problems=(errors.SourceUnavailable,),
    ),
    Endpoint("GET", "/plugins/sources", list_schemes, Access.ANYONE, {200: Reply(Schemes)}),
    Endpoint("GET", _PLUGINS, list_plugins, Access.WORKSPACE, {200: Reply(list[PluginOut])}, problems=_TARGET),
    Endpoint(
        "GET",
        f"{_PLUGINS}/available",
        list_available,
        Access.WORKSPACE,
        {200: Reply(list[CatalogPluginOut])},
        problems=(errors.WorkspaceNotFound, errors.SourceUnavailable),
    ),
    Endpoint(
        "GET",
        f"{_PLUGINS}/compatibility",
        list_compatibility,
        Access.WORKSPACE,
        {200: Reply(list[PluginOut])},
        query=RequiredRuntimeQuery,
        problems=_TARGET,
    ),
    Endpoint(
        "POST",
        _PLUGINS,
        install_plugin,
        Access.WORKSPACE,
        {200: Reply(Installed), 202: _ASYNC},
        body=Install,
        problems=(*_CHANGE, *FETCH, errors.NameTaken, errors.NotManaged, errors.PlaceBlocked),
        headers=_HEADERS,
    ),
    Endpoint(
        "DELETE",
        f"{_PLUGINS}/{{name}}",
        uninstall_plugin,
        Access.WORKSPACE,
        {200: Reply(Uninstalled), 202: _ASYNC},
        query=UninstallQuery,
        problems=(*_CHANGE, errors.NotManaged, errors.PlaceBlocked),
        headers=_HEADERS,
    ),
    Endpoint(
        "POST",
        f"{_PLUGINS}/{{name}}/restore",
        restore_plugin,
        Access.WORKSPACE,
        {200: Reply(Restored), 202: _ASYNC},
        body=Restore,
        problems=(*_CHANGE, errors.PlaceBlocked),
        headers=_HEADERS,
    ),
)
