"""Installs a plugin, step by step. Every step may be repeated: after a crash the operation starts anew."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...hookspecs import errors
from ...hookspecs.values import JSON, Action, Bundle, PolicyRequest, Receipt, TargetState, Workspace
from ..dispatcher import Dispatcher
from ..operations.model import InstallRequest, Operation
from ..operations.progress import Progress
from ..store.installed import InstalledRecord
from ..workspace_resolver import WorkspaceResolver
from .admission import AdmissionChecks
from .fetch import Fetcher, Pins
from .footprint import Footprint, footprint_of
from .plugin_names import require_free_name
from .record import Recorder, footprints_of, with_older
from .removal import cleanup_of, skill_paths
from .restart import restart_agent
from .target_look import install_query, look_before, require_managed, uninstall_query


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known before the delivery: the footprints of the new version, of the versions before it and of the
    other plugins, and whether the plugin's directory is taken over from somebody else."""

    current: Footprint
    older: Sequence[Footprint]
    others: Sequence[Footprint]
    adopted: bool = False

    @property
    def known_digests(self) -> tuple[str, ...]:
        """The digests of the versions of this plugin that plugport delivered."""
        return tuple(dict.fromkeys(footprint.digest for footprint in self.older if footprint.digest is not None))


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
        pins = Pins(digest=request.digest, sha256=request.sha256, rename=request.name)
        async with self.fetcher.bundle(request.source, pins, progress.phase) as bundle:
            await self.admission.check_after_fetch(policy_request, bundle)
            records = await self.recorder.installed.of_workspace(workspace.id)
            require_free_name(bundle, request.source, records, replace=request.replace)
            await self.admission.check_running(workspace)
            look = await self._look(operation, request, workspace, bundle, records)
            await progress.prepare({"footprint": look.current.to_json(), "adopted": look.adopted})
            await progress.fence()
            await progress.phase("delivering")
            receipt = await self._deliver(workspace, bundle, look)
            await progress.phase("recording")
            footprints = with_older(look.current, look.older)
            await self.recorder.record(workspace, request.source, bundle, footprints, verified=True)
            left, stale = await self._clean_up(request, workspace, bundle, look, footprints)
        restarted = request.restart and await restart_agent(self.dispatcher, workspace, progress)
        kept: dict[str, JSON] = {"kept": list(receipt.kept_files), "dropped": list(receipt.dropped)}
        source = str(request.source)
        await self.recorder.report("plugin.installed", operation, bundle.name, source, bundle.digest, kept)
        return {
            "status": "installed",
            "plugin": bundle.name,
            "source": source,
            "digest": bundle.digest,
            "revision": bundle.revision,
            "restarted": restarted,
            "left": [*left, *receipt.left, *receipt.kept_files],
            "kept": list(receipt.kept),
            "dropped": list(receipt.dropped),
            "stale": stale,
            "adopted": look.adopted,
            "operation": operation.id,
        }

    async def _look(
        self,
        operation: Operation,
        request: InstallRequest,
        workspace: Workspace,
        bundle: Bundle,
        records: Mapping[str, InstalledRecord],
    ) -> _Look:
        """Look at the target before it is changed. Raises `NotManaged` if something foreign is in the way."""
        footprint = await asyncio.to_thread(footprint_of, bundle)
        own = footprints_of(records.get(bundle.name))
        others = [
            footprints[0]
            for name, record in records.items()
            if name != bundle.name and (footprints := footprints_of(record))
        ]
        prepared = operation.prepared or {}
        older = [Footprint.from_json(prepared["footprint"]), *own] if prepared else own
        state = await self._inspect(workspace, bundle.name, footprint)
        if state is None:
            return _Look(footprint, older, others)
        digests = sorted({bundle.digest, *(await self.recorder.installed.digests())})
        recorded = bundle.name in records or bool(prepared)
        adopted = require_managed(bundle.name, state, digests, recorded=recorded, adopt=request.adopt)
        first_look = next((earlier for earlier in older if earlier.is_same_version(footprint)), None)
        if first_look is not None:
            current = replace(footprint, before=first_look.before)
        else:
            current = await asyncio.to_thread(look_before, state, footprint, [*older, *others])
        return _Look(current, older, others, adopted or bool(prepared.get("adopted")))

    async def _inspect(self, workspace: Workspace, name: str, footprint: Footprint) -> TargetState | None:
        if not self.dispatcher.can_inspect(workspace):
            return None
        try:
            return await self.dispatcher.inspect_target(workspace, install_query(name, footprint))
        except errors.UnsupportedTarget:
            return None  # an image without a shell: the delivery has its own way, and nothing is recorded

    async def _deliver(self, workspace: Workspace, bundle: Bundle, look: _Look) -> Receipt:
        known = (*look.known_digests, bundle.digest)
        receipt = await self.dispatcher.deliver(workspace, bundle, self.delivery_timeout, known)
        if receipt.digest != bundle.digest:
            raise errors.DeliveryFailed(f"{bundle.digest} was sent, {receipt.digest} was read back")
        return receipt

    async def _clean_up(
        self,
        request: InstallRequest,
        workspace: Workspace,
        bundle: Bundle,
        look: _Look,
        footprints: Sequence[Footprint],
    ) -> tuple[tuple[str, ...], bool]:
        """Remove what the adaptor would not replace of the versions before. Return what stays because it was edited,
        and whether something stays until a later install, because no restart was asked for."""
        older = footprints[1:]
        if not older or not self.dispatcher.can_inspect(workspace):
            return (), False
        removal = cleanup_of(bundle.name, older, look.current, look.others)
        if not removal.files and not removal.edits:
            return (), False
        if not request.restart:
            return (), True
        try:
            query = uninstall_query(bundle.name, skill_paths(older, look.others))
            state = await self.dispatcher.inspect_target(workspace, query)
        except errors.UnsupportedTarget:
            return (), True
        removal = cleanup_of(bundle.name, older, look.current, look.others, state)
        receipt = await self.dispatcher.uninstall(workspace, removal, self.delivery_timeout)
        remembered = footprints if receipt.left else footprints[:1]
        await self.recorder.record(workspace, request.source, bundle, remembered, verified=True)
        return receipt.left, False
