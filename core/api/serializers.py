"""How stored things look to a client."""

from __future__ import annotations

from datetime import UTC, datetime

from ...hookspecs.providers import Provider
from ...hookspecs.values import RunState, Workspace
from ..store.operations import Operation
from ..workspace_resolver import backend_of
from .models import OperationOut, ProviderOut, WorkspaceOut


def workspace(found: Workspace, state: RunState | None = None) -> WorkspaceOut:
    """A workspace, with its run state where it was asked for."""
    return WorkspaceOut(
        id=found.id,
        org=found.org,
        runtime=found.runtime,
        backend=backend_of(found),
        container=found.container,
        instance_id=found.instance_id,
        options=dict(found.options),
        state=None if state is None else state.kind.value,
    )


def operation(found: Operation) -> OperationOut:
    """An operation, as its own route and its event stream show it."""
    error = {key: value for key, value in found.error.items() if key != "retry_after"} if found.error else None
    return OperationOut.model_validate(
        {
            "id": found.id,
            "kind": found.kind,
            "workspace": found.workspace,
            "plugin": found.plugin,
            "source": found.source,
            "digest": found.digest,
            "status": found.status,
            "phase": found.phase,
            "created_at": timestamp(found.created_at),
            "finished_at": None if found.finished_at is None else timestamp(found.finished_at),
            "error": error,
        }
    )


def provider(found: Provider) -> ProviderOut:
    """A provider, for the admin: the reason is for its operator."""
    return ProviderOut(
        name=found.name,
        distribution=found.distribution,
        version=found.version,
        status=found.status.value,
        reason=found.reason,
        hooks=sorted(found.hooks),
        schemes=sorted(found.schemes),
        backend=found.backend,
        import_seconds=round(found.import_seconds, 4),
        hook_api_version=found.hook_api_version,
        notes=list(found.notes),
    )


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
