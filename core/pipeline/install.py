"""Installs a plugin, step by step. Every step may be repeated: after a crash the operation starts anew."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Final

from ...hookspecs import errors
from ...hookspecs.values import JSON, Action, Bundle, PolicyRequest, Receipt, Seen, SeenState, TargetState, Workspace
from ..dispatcher import Dispatcher
from ..operations.model import InstallRequest, Operation
from ..operations.progress import Progress
from ..store.installed import InstalledRecord
from ..workspace_resolver import WorkspaceResolver
from .activate import Activator, LaidOut, joined, records_of, seen_json
from .activation.plan import Plan, activation_query
from .activation.record import ActivationRecord
from .admission import AdmissionChecks
from .after_failure import is_unchanged
from .contents_record import components_to_json
from .fetch import Fetcher, Pins
from .footprint import Footprint, footprint_of
from .overwritten import overwritten_paths, record_overwritten
from .plugin_names import require_free_name
from .record import Recorder, footprints_of, with_older
from .removal import cleanup_of, skill_paths
from .restart import restart_agent
from .take_back import take_back
from .target_look import (
    install_query,
    look_before,
    require_managed,
    require_no_variant,
    require_own_places,
    uninstall_query,
)
from .version_before import VersionBefore

_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known before the delivery.

    The footprints of the new version, of the versions before it and of the other plugins; whether the plugin's
    directory is taken over from somebody else; what the target said; and the plan of the activation.
    """

    current: Footprint
    older: Sequence[Footprint]
    others: Sequence[Footprint]
    adopted: bool = False
    state: TargetState | None = None
    plan: Plan | None = None

    @property
    def known_digests(self) -> tuple[str, ...]:
        """The digests of the versions of this plugin that plugport delivered."""
        return tuple(dict.fromkeys(footprint.digest for footprint in self.older if footprint.digest is not None))

    @property
    def footprints(self) -> list[Footprint]:
        """The current footprint and those of other versions, newest first."""
        return with_older(self.current, self.older)

    def prepared(self, before: VersionBefore | None) -> dict[str, JSON]:
        """Return what a later attempt must know."""
        return {
            "footprint": self.current.to_json(),
            "adopted": self.adopted,
            "activation": self.plan.record.to_json() if self.plan else None,
            "before": before.to_json() if before else None,
        }


@dataclass(frozen=True, slots=True)
class _Installation:
    """One install: what was asked for, where it goes, what is recorded of the workspace, and what is delivered.

    `before` is the version that it replaces, `bundle_before` its bundle if it may have to be put back.
    """

    operation: Operation
    request: InstallRequest
    progress: Progress
    workspace: Workspace
    records: Mapping[str, InstalledRecord]
    laid_out: LaidOut
    before: VersionBefore | None = None
    bundle_before: Bundle | None = None

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.laid_out.bundle.name


@dataclass(frozen=True, slots=True)
class Installer:
    """Carries out installs. `delivery_timeout` is in seconds."""

    workspaces: WorkspaceResolver
    dispatcher: Dispatcher
    admission: AdmissionChecks
    fetcher: Fetcher
    recorder: Recorder
    activator: Activator
    delivery_timeout: float

    async def install(self, operation: Operation, request: InstallRequest, progress: Progress) -> Mapping[str, JSON]:
        """Fetch, check, lay out, deliver, activate and record the plugin; ask the agent what it sees; restart it.
        Return the reply to the client.

        Raises the tree's errors, and `LeaseLost` from `progress`.
        """
        workspace = await self.workspaces.resolve(operation.workspace)
        policy_request = PolicyRequest(Action.INSTALL, workspace, request.source, operation.actor)
        pins = Pins(digest=request.digest, sha256=request.sha256, rename=request.name)
        async with self.fetcher.bundle(request.source, pins, progress.phase) as fetched:
            await self.admission.check_after_fetch(policy_request, fetched)
            records = await self.recorder.installed.of_workspace(workspace.id)
            require_free_name(fetched, request.source, records, replace=request.replace)
            before = VersionBefore.of(records.get(fetched.name), operation)
            async with self._way_back(before, request) as bundle_before:
                await self.admission.check_running(workspace)
                async with self.activator.lay_out(workspace, fetched, request.grants) as laid_out:
                    parts = (operation, request, progress, workspace, records, laid_out, before, bundle_before)
                    return await self._install(_Installation(*parts))

    def _way_back(
        self, before: VersionBefore | None, request: InstallRequest
    ) -> AbstractAsyncContextManager[Bundle | None]:
        """Give the version before, if the agent's answer may demand it back. Raises `ActivationImpossible`."""
        if before is None or not (request.ask and request.require_seen):
            return nullcontext()
        return before.held(self.fetcher)

    async def _install(self, installation: _Installation) -> Mapping[str, JSON]:
        request, laid_out, progress = installation.request, installation.laid_out, installation.progress
        workspace, bundle = installation.workspace, laid_out.bundle
        receipt, look = await self._deliver(installation)
        await progress.phase("recording")
        await self._record(installation, look, look.footprints)
        left, stale = await self._clean_up(installation, look)
        seen = await self._ask(installation, look)
        wanted = request.restart and (laid_out.activation.needs_restart or not laid_out.is_native)
        restarted = wanted and await restart_agent(self.dispatcher, workspace, progress)
        more: dict[str, JSON] = {"kept": list(receipt.kept_files), "dropped": list(receipt.dropped)}
        more |= {"layout": laid_out.layout, "seen": str(seen.state)} if laid_out.is_native else {}
        source = str(request.source)
        await self.recorder.report(
            "plugin.installed", installation.operation, bundle.name, source, bundle.digest, more
        )
        edited = look.plan.left if look.plan else ()
        return {
            "status": "installed",
            "plugin": bundle.name,
            "source": source,
            "digest": bundle.digest,
            "revision": bundle.revision,
            "restarted": restarted,
            "left": [*left, *edited, *receipt.left, *receipt.kept_files],
            "kept": list(receipt.kept),
            "dropped": list(receipt.dropped),
            "overwritten": overwritten_paths(look.current),
            "stale": stale,
            "adopted": look.adopted,
            **laid_out.reply(request.grants),
            **seen_json(seen),
            "operation": installation.operation.id,
            **_what_it_has(laid_out, workspace),
        }

    async def _record(
        self,
        installation: _Installation,
        look: _Look,
        footprints: Sequence[Footprint],
        seen: Seen | None = None,
    ) -> None:
        laid_out = installation.laid_out
        activation: dict[str, JSON] | None = None
        if look.plan is not None and laid_out.is_native:
            grants = list(installation.request.grants)
            activation = {**look.plan.record.to_json(), "source_digest": laid_out.source_digest, "grants": grants}
            activation |= seen_json(seen) if seen else {}
        await self.recorder.record(
            installation.workspace,
            installation.request.source,
            laid_out.bundle,
            footprints,
            verified=True,
            activation=activation,
        )

    async def _look(self, installation: _Installation) -> _Look:
        """Look at the target before it is changed. Raises `NotManaged` if something foreign is in the way, and
        `ActivationImpossible`."""
        laid_out, records, name = installation.laid_out, installation.records, installation.name
        bundle = laid_out.bundle
        footprint = Footprint(digest=bundle.digest)
        if not laid_out.is_native:
            footprint = await asyncio.to_thread(footprint_of, bundle)
        own = footprints_of(records.get(name))
        others = [
            footprints[0]
            for other, record in records.items()
            if other != name and (footprints := footprints_of(record))
        ]
        prepared = installation.operation.prepared or {}
        older = [Footprint.from_json(prepared["footprint"]), *own] if prepared else own
        activations = records_of(records.get(name), prepared)
        state = await self._inspect(installation, footprint, activations)
        if state is None:
            return _Look(footprint, older, others)
        require_own_places(name, state)
        digests = sorted({bundle.digest, laid_out.source_digest, *(await self.recorder.installed.digests())})
        recorded = name in records or bool(prepared)
        adopted = require_managed(name, state, digests, recorded=recorded, adopt=installation.request.adopt)
        if not recorded and not installation.request.adopt:
            require_no_variant(name, state, records)
        first_look = next((earlier for earlier in older if earlier.is_same_version(footprint)), None)
        if first_look is not None:
            current = replace(footprint, before=first_look.before)
        else:
            current = await asyncio.to_thread(look_before, state, footprint, [*older, *others])
        current = record_overwritten(current, state, [*older, *others], adopt=installation.request.adopt)
        plan = await asyncio.to_thread(self.activator.plan, laid_out, state, activations)
        return _Look(current, older, others, adopted or bool(prepared.get("adopted")), state, plan)

    async def _inspect(
        self, installation: _Installation, footprint: Footprint, records: Sequence[ActivationRecord]
    ) -> TargetState | None:
        workspace, laid_out = installation.workspace, installation.laid_out
        if not self.dispatcher.can_inspect(workspace):
            return None
        query = install_query(installation.name, footprint)
        if laid_out.is_native or records:
            query = joined(query, activation_query(laid_out.activation, records))
        try:
            return await self.activator.look(workspace, query, laid_out.activation)
        except errors.UnsupportedTarget:
            if laid_out.is_native:
                raise
            return None  # an image without a shell: the delivery has its own way, and nothing is recorded

    async def _deliver(self, installation: _Installation) -> tuple[Receipt, _Look]:
        """Look, plan and deliver; anew if something changed on the target between the look and the activation."""
        workspace, bundle, progress = installation.workspace, installation.laid_out.bundle, installation.progress
        for _ in range(_ATTEMPTS):
            look = await self._look(installation)
            await progress.prepare(look.prepared(installation.before))
            await progress.fence()
            await progress.phase("delivering")
            known = (*look.known_digests, bundle.digest)
            changes = look.plan.changes if look.plan else None
            try:
                receipt = await self.dispatcher.deliver(workspace, bundle, self.delivery_timeout, known, changes)
            except errors.DeliveryFailed as failure:
                failure.is_unchanged = await is_unchanged(
                    self.dispatcher, workspace, installation.name, look.state, look.known_digests
                )
                raise
            if receipt.digest != bundle.digest:
                raise errors.DeliveryFailed(f"{bundle.digest} was sent, {receipt.digest} was read back")
            if not receipt.refused:
                return receipt, look
        raise errors.ActivationImpossible(receipt.refused[0], errors.ActivationFault.CHANGING)

    async def _ask(self, installation: _Installation, look: _Look) -> Seen:
        """Ask the agent what it sees, and record that. An activation that breaks it is taken back.

        Raises `ActivationImpossible` if the caller requires that the agent sees the plugin, and it does not.
        """
        laid_out, request = installation.laid_out, installation.request
        if not laid_out.is_native or look.state is None or not request.ask:
            reason = "the agent was not asked" if laid_out.is_native else "under adaptor the agent is not asked"
            return Seen(SeenState.UNKNOWN, reason)
        await installation.progress.phase("asking")
        seen = await self.activator.ask(installation.workspace, laid_out.activation, look.state)
        refused = seen.state is SeenState.NO and request.require_seen
        if look.plan is None or not (seen.broken or refused):
            await self._record(installation, look, look.footprints, seen)
            return seen
        await self._take_back(installation, look, look.plan, whole=refused)
        if refused:
            fault = errors.ActivationFault.NOT_SEEN
            raise errors.ActivationImpossible(f"plugins/{installation.name}", fault)
        return seen

    async def _take_back(self, installation: _Installation, look: _Look, plan: Plan, *, whole: bool) -> None:
        """Take the activation back. `whole`: put the version before in place again, or remove the plugin."""
        name, workspace, laid_out = installation.name, installation.workspace, installation.laid_out
        removes = whole and installation.before is None
        await take_back(self.dispatcher, workspace, name, [plan.record], self.delivery_timeout, whole=removes)
        source = str(installation.request.source)
        await self.recorder.report("plugin.taken-back", installation.operation, name, source, laid_out.bundle.digest)
        if removes:
            await self.recorder.installed.remove(workspace.id, name)
            return
        await self._record(installation, replace(look, plan=None), look.footprints)
        if whole and installation.before is not None and installation.bundle_before is not None:
            await self._put_back(installation, installation.before, installation.bundle_before)

    async def _put_back(self, installation: _Installation, before: VersionBefore, bundle: Bundle) -> None:
        """Deliver the version again that was there before, under the layout that it had."""
        workspace = replace(installation.workspace, layout=before.layout or installation.workspace.layout)
        async with self.activator.lay_out(workspace, bundle, before.grants) as laid_out:
            records = await self.recorder.installed.of_workspace(workspace.id)
            again = replace(
                installation, request=before.request, workspace=workspace, records=records, laid_out=laid_out
            )
            _, look = await self._deliver(again)
            await self._record(again, look, look.footprints)

    async def _clean_up(self, installation: _Installation, look: _Look) -> tuple[tuple[str, ...], bool]:
        """Remove what the adaptor would not replace of the versions before. Return what stays because it was edited,
        and whether something stays until a later install, because no restart was asked for."""
        workspace, name, older = installation.workspace, installation.name, look.footprints[1:]
        if not older or not self.dispatcher.can_inspect(workspace):
            return (), False
        removal = cleanup_of(name, older, look.current, look.others)
        if not removal.files and not removal.edits:
            return (), False
        if not installation.request.restart:
            return (), True
        try:
            query = uninstall_query(name, skill_paths(older, look.others))
            state = await self.dispatcher.inspect_target(workspace, query)
        except errors.UnsupportedTarget:
            return (), True
        removal = cleanup_of(name, older, look.current, look.others, state)
        receipt = await self.dispatcher.uninstall(workspace, removal, self.delivery_timeout)
        await self._record(installation, look, look.footprints if receipt.left else look.footprints[:1])
        return receipt.left, False


def _what_it_has(laid_out: LaidOut, workspace: Workspace) -> dict[str, JSON]:
    """Return what a reply says of the plugin's contents, and what is wrong with them."""
    contents = laid_out.bundle.contents
    has: dict[str, JSON] = {"warnings": laid_out.warnings(workspace.runtime)}
    if contents is not None:
        components = [*components_to_json(contents)]
        has |= {"format": contents.format, "version": contents.version, "components": components}
    return has
