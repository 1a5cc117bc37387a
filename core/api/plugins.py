"""The plugins of a workspace: what it has, what it could have, install and uninstall."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from ...hookspecs import errors
from ...hookspecs.values import JSON, Action, Source, Workspace
from ..auth import Access
from ..catalog import Curated, read_registry
from ..inventory import Present, inventory
from ..pipeline.manifest import validate_name
from ..store.operations import Operation
from . import problems
from . import serializers as shown
from .endpoint import Call, Endpoint, Reply, invalid, json_response
from .models import (
    Install,
    Installed,
    OperationOut,
    PluginOut,
    RegistryPlugin,
    RestartQuery,
    RuntimeQuery,
    RuntimeWanted,
    Schemes,
    Uninstalled,
)


async def list_registry(call: Call) -> Response:
    """The curated registry; with `runtime`, those of its plugins that work there."""
    return json_response(await _registry(call, call.query.runtime))


async def list_schemes(call: Call) -> Response:
    """The schemes that a source may have."""
    return json_response(Schemes(schemes=list(call.services.dispatcher.schemes)))


async def list_plugins(call: Call) -> Response:
    """What the workspace has, read from the target, with the drift from what was recorded."""
    workspace = await call.services.directory.find(call.path("id"))
    return json_response([_plugin(one, workspace.runtime) for one in await _inventory(call, workspace)])


async def list_available(call: Call) -> Response:
    """The plugins of the curated registry that work on the workspace's runtime."""
    workspace = await call.services.directory.find(call.path("id"))
    return json_response(await _registry(call, workspace.runtime))


async def list_compatibility(call: Call) -> Response:
    """Whether each of the workspace's plugins would work on another runtime."""
    workspace = await call.services.directory.find(call.path("id"))
    return json_response([_plugin(one, call.query.runtime) for one in await _inventory(call, workspace)])


async def install_plugin(call: Call) -> Response:
    """Install a plugin, and say so when it was read back from the target.

    With `Prefer: respond-async` the answer is 202 as soon as the refusals that need no fetch are through.
    """
    given: Install = call.body
    source = Source.parse(given.source)
    request: dict[str, JSON] = given.model_dump() | {"source": str(source)}
    workspace = await call.services.directory.find(call.path("id"))
    return await _accept(call, workspace, Action.INSTALL, request, source=source)


async def uninstall_plugin(call: Call) -> Response:
    """Take away exactly what the install and the runtime's adaptor brought; `left` names what somebody edited."""
    name = validate_name(call.path("name"))
    workspace = await call.services.directory.find(call.path("id"))
    return await _accept(call, workspace, Action.UNINSTALL, {"restart": call.query.restart}, name=name)


async def _accept(
    call: Call,
    workspace: Workspace,
    action: Action,
    request: Mapping[str, JSON],
    *,
    source: Source | None = None,
    name: str | None = None,
) -> Response:
    operations = call.services.operations
    key = _idempotency_key(call)
    fingerprint = _fingerprint(action, name, request)
    known = await operations.journal.by_key(workspace.id, key, fingerprint) if key else None
    if known is None:
        await call.services.refusals.before_fetch(action, workspace, source, name, call.actor)
        known = await operations.submit(
            kind=action.value,
            workspace=workspace.id,
            actor=call.actor,
            request_id=call.request_id,
            request=request,
            fingerprint=fingerprint,
            idempotency_key=key,
            plugin=name,
            source=str(source) if source else None,
        )
    if "respond-async" in _preferences(call):
        headers = {"Location": f"/operations/{known.id}", "Preference-Applied": "respond-async"}
        return json_response(shown.operation(known), 202, headers)
    return _answer(await operations.wait(known.id), call.request.url.path)


def _answer(ended: Operation, path: str) -> Response:
    if ended.status == "succeeded":
        return JSONResponse(dict(ended.result or {}))
    return problems.stored({**(ended.error or {}), "instance": path, "operation": ended.id})


def _idempotency_key(call: Call) -> str | None:
    key = call.request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise invalid("header.idempotency-key", "has 1 to 255 printable ASCII characters")
    return key


def _preferences(call: Call) -> set[str]:
    given = ",".join(call.request.headers.getlist("prefer"))
    return {one.partition(";")[0].strip().lower() for one in given.split(",")}


def _fingerprint(action: Action, name: str | None, request: Mapping[str, JSON]) -> str:
    whole = json.dumps([action.value, name, dict(request)], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


async def _inventory(call: Call, workspace: Workspace) -> list[Present]:
    return await inventory(call.services.dispatcher, call.services.ledger, workspace)


async def _registry(call: Call, runtime: str | None) -> list[RegistryPlugin]:
    found = await asyncio.to_thread(read_registry, call.services.settings.registry)
    return [_curated(one) for one in found if one.supports(runtime)]


def _curated(one: Curated) -> RegistryPlugin:
    return RegistryPlugin(
        name=one.name,
        version=one.version,
        description=one.description,
        runtimes=list(one.runtimes),
        skills=list(one.skills),
        source=f"local://{one.name}",
        supported_on_runtime=True,
    )


def _plugin(one: Present, runtime: str | None) -> PluginOut:
    described = one.manifest.get("description")
    return PluginOut(
        name=one.name,
        version=one.version,
        description=described if isinstance(described, str) else None,
        digest=one.digest,
        source=one.entry.source if one.entry else None,
        supported_on_runtime=one.supports(runtime),
        verified=one.found is not None,
        drift=one.drift,
        installed_digest=one.entry.digest if one.entry else None,
    )


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
"""What may go wrong between a source and a bundle."""

_HEADERS = {
    "Idempotency-Key": "makes a repeated request one operation, per workspace",
    "Prefer": "respond-async: answer 202 with the operation's route at once",
}
_ASYNC = Reply(OperationOut, description="Accepted", headers={"Location": "the operation's own route"})
_PLUGINS = "/workspaces/{id}/plugins"
ENDPOINTS = (
    Endpoint("GET", "/plugins", list_registry, Access.ANYONE, {200: Reply(list[RegistryPlugin])}, query=RuntimeQuery),
    Endpoint("GET", "/plugins/sources", list_schemes, Access.ANYONE, {200: Reply(Schemes)}),
    Endpoint("GET", _PLUGINS, list_plugins, Access.WORKSPACE, {200: Reply(list[PluginOut])}, problems=_TARGET),
    Endpoint(
        "GET",
        f"{_PLUGINS}/available",
        list_available,
        Access.WORKSPACE,
        {200: Reply(list[RegistryPlugin])},
        problems=_TARGET[:1],
    ),
    Endpoint(
        "GET",
        f"{_PLUGINS}/compatibility",
        list_compatibility,
        Access.WORKSPACE,
        {200: Reply(list[PluginOut])},
        query=RuntimeWanted,
        problems=_TARGET,
    ),
    Endpoint(
        "POST",
        _PLUGINS,
        install_plugin,
        Access.WORKSPACE,
        {200: Reply(Installed), 202: _ASYNC},
        body=Install,
        problems=(*_CHANGE, *FETCH),
        headers=_HEADERS,
    ),
    Endpoint(
        "DELETE",
        f"{_PLUGINS}/{{name}}",
        uninstall_plugin,
        Access.WORKSPACE,
        {200: Reply(Uninstalled), 202: _ASYNC},
        query=RestartQuery,
        problems=_CHANGE,
        headers=_HEADERS,
    ),
)
