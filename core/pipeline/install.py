"""Install and uninstall, step by step. Every step may be repeated: after a crash the operation starts anew."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ...hookspecs import errors
from ...hookspecs.values import JSON, Action, Event, PolicyRequest, Source, Workspace
from ...hookspecs.values.bundle import Bundle
from ..dispatcher import Dispatcher
from ..store.ledger import Audit, Entry, Ledger
from ..store.operations import Operation
from ..workspace_resolver import Directory
from .admission import Refusals
from .fetch import Fetcher, Phase, Pins
from .footprint import Footprint, footprint_of, removal_of
from .manifest import supported_on_runtime

log = logging.getLogger("plugport.pipeline")
_GENERATIONS = 5
Fence = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps, with all that they need. `delivery_timeout` in seconds."""

    directory: Directory
    dispatcher: Dispatcher
    refusals: Refusals
    fetcher: Fetcher
    ledger: Ledger
    audit: Audit
    delivery_timeout: float

    async def run(self, operation: Operation, phase: Phase, fence: Fence) -> Mapping[str, JSON]:
        """Carry the operation out and return its reply. Raises the tree's errors.

        `phase` is told where the work is; `fence` raises when the workspace is no longer this worker's.
        """
        if operation.kind == "install":
            return await self._install(operation, phase, fence)
        return await self._uninstall(operation, phase, fence)

    async def _install(self, operation: Operation, phase: Phase, fence: Fence) -> Mapping[str, JSON]:
        workspace = await self.directory.find(operation.workspace)
        source = Source.parse(operation.request["source"])
        request = PolicyRequest(Action.INSTALL, workspace, source, operation.actor)
        pins = Pins(None, operation.request.get("digest"), operation.request.get("sha256"))
        async with self.fetcher.bundle(source, pins, phase) as bundle:
            await self.refusals.after_fetch(request, bundle)
            await self.refusals.running(workspace)
            await fence()
            await phase("delivering")
            receipt = await self.dispatcher.deliver(workspace, bundle, self.delivery_timeout)
            if receipt.digest != bundle.digest:
                raise errors.DeliveryFailed(f"{bundle.digest} was sent, {receipt.digest} was read back")
            await phase("recording")
            await self._record(workspace, source, bundle)
        restarted = await self._restart(workspace, phase) if operation.request.get("restart", True) else False
        await self._tell("plugin.installed", operation, bundle.name, str(source), bundle.digest)
        return {
            "status": "installed",
            "plugin": bundle.name,
            "source": str(source),
            "digest": bundle.digest,
            "revision": bundle.revision,
            "restarted": restarted,
            "operation": operation.id,
        }

    async def _uninstall(self, operation: Operation, phase: Phase, fence: Fence) -> Mapping[str, JSON]:
        workspace = await self.directory.find(operation.workspace)
        name = str(operation.plugin)
        entries = await self.ledger.of_workspace(workspace.id)
        own = entries.pop(name, None)
        if own is None and operation.attempts <= 1 and not await self._is_there(workspace, name):
            raise errors.PluginNotFound(f"{name} is neither recorded nor on the target")
        removal = removal_of(
            name,
            _footprints(own) if own else [],
            [footprint for entry in entries.values() for footprint in _footprints(entry)[:1]],
        )
        await self.refusals.running(workspace)
        await fence()
        await phase("removing")
        receipt = await self.dispatcher.uninstall(workspace, removal, self.delivery_timeout)
        await phase("recording")
        await self.ledger.remove(workspace.id, name)
        restarted = await self._restart(workspace, phase) if operation.request.get("restart", True) else False
        await self._tell("plugin.uninstalled", operation, name, own.source if own else None, None)
        return {
            "status": "uninstalled",
            "plugin": name,
            "left": list(receipt.left),
            "restarted": restarted,
            "operation": operation.id,
        }

    async def _is_there(self, workspace: Workspace, name: str) -> bool:
        return any(found.name == name for found in await self.dispatcher.list_installed(workspace))

    async def _record(self, workspace: Workspace, source: Source, bundle: Bundle, verified: bool = True) -> None:
        earlier = (await self.ledger.of_workspace(workspace.id)).get(bundle.name)
        footprint = (await asyncio.to_thread(footprint_of, bundle)).to_json()
        older = [one for one in (earlier.footprints if earlier else ()) if one != footprint]
        await self.ledger.put(
            Entry(
                workspace=workspace.id,
                name=bundle.name,
                source=str(source),
                digest=bundle.digest,
                revision=bundle.revision,
                version=_version(bundle.manifest),
                manifest=bundle.manifest,
                footprints=(footprint, *older[: _GENERATIONS - 1]),
                verified=verified,
                supported=supported_on_runtime(
                    bundle.manifest, [file.path for file in bundle.files], workspace.runtime
                ),
                installed_at=time.time(),
            )
        )

    async def record_pulled(self, workspace: Workspace, source: Source, bundle: Bundle) -> None:
        """Record what an external workspace has downloaded: nobody has read it back."""
        await self._record(workspace, source, bundle, verified=False)
        await self.dispatcher.observe(
            Event("plugin.downloaded", workspace.id, bundle.name, str(source), bundle.digest)
        )

    async def _restart(self, workspace: Workspace, phase: Phase) -> bool:
        """The delivery stands, whatever becomes of the restart: a failure is told, not raised."""
        await phase("restarting")
        try:
            await self.dispatcher.restart(workspace)
        except errors.UnsupportedTarget:
            return False
        except errors.PlugportError:
            log.exception("restart failed")
            return False
        return True

    async def _tell(
        self, what: str, operation: Operation, plugin: str, source: str | None, digest: str | None
    ) -> None:
        fields: dict[str, JSON] = {"plugin": plugin, "source": source, "digest": digest, "operation": operation.id}
        await self.audit.write(operation.actor, what, operation.workspace, fields)
        await self.dispatcher.observe(Event(what, operation.workspace, plugin, source, digest, operation.id))


def _footprints(entry: Entry) -> list[Footprint]:
    return [Footprint.from_json(one) for one in entry.footprints]


def _version(manifest: Mapping[str, JSON]) -> str | None:
    version = manifest.get("version")
    return None if version is None else str(version)[:128]
