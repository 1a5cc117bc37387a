"""Turns values of the core into the models that a client gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ...hookspecs.providers import Provider
from ...hookspecs.values import ComponentKind, Contents, RunState, Workspace
from ..catalog import CatalogPlugin
from ..inventory import InventoryItem
from ..operations.model import Operation
from ..pipeline.contents_record import contents_in_short
from ..pipeline.manifest import description_of, runtimes_of, version_of
from ..workspace_resolver import backend_of
from .models import (
    CatalogPluginOut,
    ComponentOut,
    OperationOut,
    PluginOut,
    ProviderOut,
    WorkspaceOut,
    WorkspaceRegistered,
)


def workspace_out(workspace: Workspace, state: RunState | None = None) -> WorkspaceOut:
    """Show a workspace, with its run state if that was asked for."""
    return WorkspaceOut(
        id=workspace.id,
        org=workspace.org,
        runtime=workspace.runtime,
        backend=backend_of(workspace),
        container=workspace.container,
        instance_id=workspace.instance_id,
        layout=workspace.layout,
        options=dict(workspace.options),
        state=None if state is None else state.kind.value,
    )


def workspace_registered(workspace: Workspace, warnings: Sequence[str]) -> WorkspaceRegistered:
    """Show a workspace that was registered or changed, with the warnings about it."""
    return WorkspaceRegistered(**workspace_out(workspace).model_dump(), warnings=list(warnings))


def operation_out(operation: Operation) -> OperationOut:
    """Show an operation. `retry_after` is a header of the reply and not part of the problem document."""
    error = operation.error and {key: value for key, value in operation.error.items() if key != "retry_after"}
    return OperationOut.model_validate(
        {
            "id": operation.id,
            "kind": operation.kind,
            "workspace": operation.workspace,
            "plugin": operation.plugin,
            "source": operation.source,
            "digest": operation.digest,
            "status": operation.status,
            "phase": operation.phase,
            "created_at": _timestamp(operation.created_at),
            "finished_at": None if operation.finished_at is None else _timestamp(operation.finished_at),
            "error": error,
        }
    )


def provider_out(provider: Provider) -> ProviderOut:
    """Show a provider to the admin, with the reason if it failed."""
    return ProviderOut(
        name=provider.name,
        distribution=provider.distribution,
        version=provider.version,
        status=provider.status.value,
        reason=provider.reason,
        hooks=sorted(provider.hooks),
        schemes=sorted(provider.schemes),
        backend=provider.backend,
        layouts=sorted(provider.layouts),
        format=provider.format,
        import_seconds=round(provider.import_seconds, 4),
        hook_api_version=provider.hook_api_version,
        notes=list(provider.notes),
    )


def catalog_plugin_out(plugin: CatalogPlugin, contents: Contents | None) -> CatalogPluginOut:
    """Show a plugin of the catalog that supports the runtime that was asked for, with its contents if it was read."""
    return CatalogPluginOut(
        name=plugin.name,
        version=version_of(plugin.manifest) if contents is None else contents.version,
        description=description_of(plugin.manifest) if contents is None else contents.description,
        runtimes=list(runtimes_of(plugin.manifest)),
        skills=_skills(plugin, contents),
        format=None if contents is None else contents.format,
        components=[] if contents is None else _components(contents_in_short(contents)),
        source=f"local://{plugin.name}",
        supported_on_runtime=True,
    )


def plugin_out(item: InventoryItem, runtime: str | None) -> PluginOut:
    """Show a plugin of a workspace, and whether it supports the runtime."""
    contents: Mapping[str, Any] = item.contents or {}
    activation: Mapping[str, Any] = (item.record and item.record.activation) or {}
    return PluginOut(
        name=item.name,
        version=contents.get("version") or version_of(item.manifest),
        description=contents.get("description") or description_of(item.manifest),
        format=contents.get("format"),
        components=_components(contents),
        digest=item.digest,
        source=item.record.source if item.record else None,
        supported_on_runtime=item.supports(runtime),
        verified=item.on_target is not None,
        drift=item.drift,
        installed_digest=item.record.digest if item.record else None,
        revision=item.record.revision if item.record else None,
        layout=item.record.layout if item.record else None,
        seen=activation.get("seen", "unknown"),
        seen_reason=activation.get("seen_reason"),
        complaint=activation.get("complaint"),
    )


def _components(contents: Mapping[str, Any]) -> list[ComponentOut]:
    return [ComponentOut.model_validate(component) for component in contents.get("components", ())]


def _skills(plugin: CatalogPlugin, contents: Contents | None) -> list[str]:
    """Return the names of the skills: those that a format read, and the folders of those that it could not read."""
    read = () if contents is None else contents.of_kind(ComponentKind.SKILL)
    folders = {skill.path.split("/")[-2] for skill in read if "/" in skill.path}
    return sorted({*(skill.name for skill in read), *(name for name in plugin.skills if name not in folders)})


def _timestamp(seconds: float) -> str:
    """Format seconds since 1970 as RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
