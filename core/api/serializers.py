"""Turns values of the core into the models that a client gets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ...hookspecs.providers import Provider
from ...hookspecs.values import RunState, Workspace
from ..catalog import CatalogPlugin
from ..inventory import InventoryItem
from ..operations.model import Operation
from ..pipeline.manifest import description_of, runtimes_of, version_of
from ..workspace_resolver import backend_of
from .models import CatalogPluginOut, OperationOut, PluginOut, ProviderOut, WorkspaceOut, WorkspaceRegistered


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


def catalog_plugin_out(plugin: CatalogPlugin) -> CatalogPluginOut:
    """Show a plugin of the catalog that supports the runtime that was asked for."""
    return CatalogPluginOut(
        name=plugin.name,
        version=version_of(plugin.manifest),
        description=description_of(plugin.manifest),
        runtimes=list(runtimes_of(plugin.manifest)),
        skills=list(plugin.skills),
        source=f"local://{plugin.name}",
        supported_on_runtime=True,
    )


def plugin_out(item: InventoryItem, runtime: str | None) -> PluginOut:
    """Show a plugin of a workspace, and whether it supports the runtime."""
    return PluginOut(
        name=item.name,
        version=version_of(item.manifest),
        description=description_of(item.manifest),
        digest=item.digest,
        source=item.record.source if item.record else None,
        supported_on_runtime=item.supports(runtime),
        verified=item.on_target is not None,
        drift=item.drift,
        installed_digest=item.record.digest if item.record else None,
    )


def _timestamp(seconds: float) -> str:
    """Format seconds since 1970 as RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
