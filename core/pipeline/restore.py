"""Puts back what was set aside of a plugin's directory: the files that somebody had edited or added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...hookspecs import errors
from ...hookspecs.values import JSON, Removal
from ..dispatcher import Dispatcher
from ..operations.model import Operation, RestoreRequest
from ..operations.progress import Progress
from ..workspace_resolver import WorkspaceResolver
from .admission import AdmissionChecks
from .record import Recorder
from .target_look import require_own_places, restore_query

NEWEST = "newest"
"""Stands for the directory below `plugins/.plugport/kept/<name>/` that was set aside last."""


@dataclass(frozen=True, slots=True)
class Restorer:
    """Carries out restores. `delivery_timeout` is in seconds."""

    workspaces: WorkspaceResolver
    dispatcher: Dispatcher
    admission: AdmissionChecks
    recorder: Recorder
    delivery_timeout: float

    async def restore(self, operation: Operation, request: RestoreRequest, progress: Progress) -> Mapping[str, JSON]:
        """Put the files back; what they replace is set aside. Return the reply to the client.

        Raises `UnsupportedTarget` if the backend keeps nothing, `PluginNotFound` if nothing was set aside, the other
        errors of the tree, and `LeaseLost` from `progress`.
        """
        workspace, name = await self.workspaces.resolve(operation.workspace), request.plugin
        await self.admission.check_running(workspace)
        if not self.dispatcher.can_inspect(workspace):
            raise errors.UnsupportedTarget("the backend sets nothing aside")
        require_own_places(name, await self.dispatcher.inspect_target(workspace, restore_query(name)))
        await progress.fence()
        await progress.phase("restoring")
        removal = Removal(name, restore=request.kept or NEWEST)
        receipt = await self.dispatcher.uninstall(workspace, removal, self.delivery_timeout)
        await self.recorder.report("plugin.restored", operation, name, None, None, {"files": list(receipt.restored)})
        return {
            "status": "restored",
            "plugin": name,
            "restored": list(receipt.restored),
            "kept": list(receipt.kept),
            "dropped": list(receipt.dropped),
            "operation": operation.id,
        }
