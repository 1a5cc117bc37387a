"""Installs a plugin, step by step. Every step may be repeated: after a crash the operation starts anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...hookspecs import errors
from ...hookspecs.values import JSON, Action, PolicyRequest
from ..dispatcher import Dispatcher
from ..operations.model import InstallRequest, Operation
from ..operations.progress import Progress
from ..workspace_resolver import WorkspaceResolver
from .admission import AdmissionChecks
from .fetch import Fetcher, Pins
from .record import Recorder
from .restart import restart_agent


@dataclass(frozen=True, slots=True)
class Installer:
    """Carries out installs. `delivery_timeout` is in seconds."""

    workspaces: WorkspaceResolver
    dispatcher: Dispatcher
    admission: AdmissionChecks
    fetcher: Fetcher
    recorder: Recorder
    delivery_timeout: float

    async def install(self, operation: Operation, request: InstallRequest, progress: Progress) -> Mapping[str, JSON]:
        """Fetch, check, deliver and record the plugin; then restart the agent. Return the reply to the client.

        Raises the tree's errors, and `LeaseLost` from `progress`.
        """
        workspace = await self.workspaces.resolve(operation.workspace)
        policy_request = PolicyRequest(Action.INSTALL, workspace, request.source, operation.actor)
        pins = Pins(digest=request.digest, sha256=request.sha256)
        async with self.fetcher.bundle(request.source, pins, progress.phase) as bundle:
            await self.admission.check_after_fetch(policy_request, bundle)
            await self.admission.check_running(workspace)
            await progress.fence()
            await progress.phase("delivering")
            receipt = await self.dispatcher.deliver(workspace, bundle, self.delivery_timeout)
            if receipt.digest != bundle.digest:
                raise errors.DeliveryFailed(f"{bundle.digest} was sent, {receipt.digest} was read back")
            await progress.phase("recording")
            await self.recorder.record(workspace, request.source, bundle, verified=True)
        restarted = request.restart and await restart_agent(self.dispatcher, workspace, progress)
        source = str(request.source)
        await self.recorder.report("plugin.installed", operation, bundle.name, source, bundle.digest)
        return {
            "status": "installed",
            "plugin": bundle.name,
            "source": source,
            "digest": bundle.digest,
            "revision": bundle.revision,
            "restarted": restarted,
            "operation": operation.id,
        }
