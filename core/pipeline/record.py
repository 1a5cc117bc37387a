"""Records what was installed and uninstalled, and reports it to the audit log and the observers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from ...hookspecs.values import JSON, Bundle, Event, Source, Workspace
from ..dispatcher import Dispatcher
from ..operations.model import Operation
from ..store.audit import Audit
from ..store.installed import InstalledPlugins, InstalledRecord
from .footprint import footprint_of
from .manifest import supported_on_runtime, version_of

_MAX_FOOTPRINTS = 5


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes the records of installed plugins, audit entries and events."""

    installed: InstalledPlugins
    audit: Audit
    dispatcher: Dispatcher

    async def record(self, workspace: Workspace, source: Source, bundle: Bundle, *, verified: bool) -> None:
        """Record the bundle as installed. The footprints of up to four earlier versions are kept. May be repeated."""
        earlier = (await self.installed.of_workspace(workspace.id)).get(bundle.name)
        footprint = (await asyncio.to_thread(footprint_of, bundle)).to_json()
        older = [stored for stored in (earlier.footprints if earlier else ()) if stored != footprint]
        paths = [file.path for file in bundle.files]
        record = InstalledRecord(
            workspace=workspace.id,
            name=bundle.name,
            source=str(source),
            digest=bundle.digest,
            revision=bundle.revision,
            version=version_of(bundle.manifest),
            manifest=bundle.manifest,
            footprints=(footprint, *older[: _MAX_FOOTPRINTS - 1]),
            verified=verified,
            supported=supported_on_runtime(bundle.manifest, paths, workspace.runtime),
            installed_at=time.time(),
        )
        await self.installed.put(record)

    async def record_download(self, workspace: Workspace, source: Source, bundle: Bundle) -> None:
        """Record what an external workspace has downloaded, as not verified, and report it to the observers."""
        await self.record(workspace, source, bundle, verified=False)
        await self.dispatcher.observe(
            Event("plugin.downloaded", workspace.id, bundle.name, str(source), bundle.digest)
        )

    async def report(
        self, kind: str, operation: Operation, plugin: str, source: str | None, digest: str | None
    ) -> None:
        """Report a success to the audit log and the observers; `kind` is that of the `Event`."""
        fields: dict[str, JSON] = {"plugin": plugin, "source": source, "digest": digest, "operation": operation.id}
        await self.audit.write(operation.actor, kind, operation.workspace, fields)
        await self.dispatcher.observe(Event(kind, operation.workspace, plugin, source, digest, operation.id))
