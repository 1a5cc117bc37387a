"""Uninstalls a plugin, step by step. Every step may be repeated: after a crash the operation starts anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ...hookspecs import errors
from ...hookspecs.values import JSON, Removal, TargetQuery, TargetState, Workspace
from ..dispatcher import Dispatcher
from ..operations.model import Operation, UninstallRequest
from ..operations.progress import Progress
from ..store.installed import InstalledRecord
from ..workspace_resolver import WorkspaceResolver
from .activate import joined, plan_undo, records_of, undo_query
from .admission import AdmissionChecks
from .footprint import Footprint
from .overwritten import overwritten_paths, set_beside
from .record import Recorder, footprints_of
from .removal import removal_of, skill_paths
from .restart import restart_agent
from .target_look import is_present, require_managed, require_own_places, uninstall_query


@dataclass(frozen=True, slots=True)
class Uninstaller:
    """Carries out uninstalls. `delivery_timeout` is in seconds."""

    workspaces: WorkspaceResolver
    dispatcher: Dispatcher
    admission: AdmissionChecks
    recorder: Recorder
    delivery_timeout: float

    async def uninstall(
        self, operation: Operation, request: UninstallRequest, progress: Progress
    ) -> Mapping[str, JSON]:
        """Remove the plugin and its footprint; then restart the agent. Return the reply to the client.

        Raises the tree's errors, and `LeaseLost` from `progress`.
        """
        workspace, name = await self.workspaces.resolve(operation.workspace), request.plugin
        records = await self.recorder.installed.of_workspace(workspace.id)
        own = records.pop(name, None)
        own_footprints = footprints_of(own)
        others = [footprints[0] for record in records.values() if (footprints := footprints_of(record))]
        await self.admission.check_running(workspace)
        activations = records_of(own)
        overwritten = [path for footprint in own_footprints for path in overwritten_paths(footprint)]
        looked_at = [*skill_paths(own_footprints, others), *overwritten]
        query = joined(uninstall_query(name, looked_at), undo_query(activations))
        state = await self._inspect(workspace, query)
        first_attempt = operation.attempts <= 1
        if own is None and first_attempt and not await self._is_on_target(workspace, name, state, records):
            raise errors.PluginNotFound(f"{name} is neither recorded nor on the target")
        adopted = False
        if state is not None:
            require_own_places(name, state)
            digests = sorted(await self.recorder.installed.digests())
            recorded = own is not None or not first_attempt
            adopted = require_managed(name, state, digests, recorded=recorded, adopt=request.adopt)
        await progress.fence()
        await progress.phase("removing")
        removal, left = _removal(name, own, others, state)
        receipt = await self.dispatcher.uninstall(workspace, removal, self.delivery_timeout)
        if receipt.refused:
            raise errors.DeliveryFailed(f"{receipt.refused[0]} was changed meanwhile: try again")
        await progress.phase("recording")
        await self.recorder.installed.remove(workspace.id, name)
        restarted = request.restart and await restart_agent(self.dispatcher, workspace, progress)
        kept: dict[str, JSON] = {"kept": list(receipt.kept_files), "dropped": list(receipt.dropped)}
        source = own.source if own else None
        await self.recorder.report("plugin.uninstalled", operation, name, source, None, kept)
        return {
            "status": "uninstalled",
            "plugin": name,
            "left": [*left, *receipt.left, *receipt.kept_files],
            "kept": list(receipt.kept),
            "dropped": list(receipt.dropped),
            "restarted": restarted,
            "adopted": adopted,
            "operation": operation.id,
        }

    async def _inspect(self, workspace: Workspace, query: TargetQuery) -> TargetState | None:
        if not self.dispatcher.can_inspect(workspace):
            return None
        try:
            return await self.dispatcher.inspect_target(workspace, query)
        except errors.UnsupportedTarget:
            return None

    async def _is_on_target(
        self, workspace: Workspace, name: str, state: TargetState | None, recorded: Collection[str]
    ) -> bool:
        if state is not None:
            return is_present(name, state, recorded)
        return any(plugin.name == name for plugin in await self.dispatcher.list_installed(workspace))


def _removal(
    name: str, own: InstalledRecord | None, others: Sequence[Footprint], state: TargetState | None
) -> tuple[Removal, tuple[str, ...]]:
    """Return what to remove, and what `left` names beside what the backend does."""
    footprints, activations = footprints_of(own), records_of(own)
    removal = removal_of(name, footprints, others, state)
    if state is None:
        return removal, ()
    if activations:
        undo = plan_undo(state, name, activations)
        return replace(removal, changes=undo.changes), undo.left
    beside = set_beside(name, footprints, others, state)
    return replace(removal, changes=beside), () if beside is None else tuple(write.path for write in beside.writes)
