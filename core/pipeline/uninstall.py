"""Uninstalls a plugin, step by step. Every step may be repeated: after a crash the operation starts anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...hookspecs import errors
from ...hookspecs.values import JSON, Workspace
from ..dispatcher import Dispatcher
from ..operations.model import Operation, UninstallRequest
from ..operations.progress import Progress
from ..workspace_resolver import WorkspaceResolver
from .admission import AdmissionChecks
from .footprint import Footprint, removal_of
from .record import Recorder
from .restart import restart_agent


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
        if own is None and operation.attempts <= 1 and not await self._is_on_target(workspace, name):
            raise errors.PluginNotFound(f"{name} is neither recorded nor on the target")
        own_footprints = [Footprint.from_json(stored) for stored in (own.footprints if own else ())]
        others = [Footprint.from_json(record.footprints[0]) for record in records.values() if record.footprints]
        await self.admission.check_running(workspace)
        await progress.fence()
        await progress.phase("removing")
        removal = removal_of(name, own_footprints, others)
        receipt = await self.dispatcher.uninstall(workspace, removal, self.delivery_timeout)
        await progress.phase("recording")
        await self.recorder.installed.remove(workspace.id, name)
        restarted = request.restart and await restart_agent(self.dispatcher, workspace, progress)
        await self.recorder.report("plugin.uninstalled", operation, name, own.source if own else None, None)
        return {
            "status": "uninstalled",
            "plugin": name,
            "left": list(receipt.left),
            "restarted": restarted,
            "operation": operation.id,
        }

    async def _is_on_target(self, workspace: Workspace, name: str) -> bool:
        return any(plugin.name == name for plugin in await self.dispatcher.list_installed(workspace))
