"""Records what was installed and uninstalled, and reports it to the audit log and the observers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ...hookspecs.values import JSON, Bundle, Contents, Event, Source, Workspace
from ..dispatcher import Dispatcher
from ..operations.model import Operation
from ..store.audit import Audit
from ..store.installed import InstalledPlugins, InstalledRecord
from .contents_record import contents_in_short
from .footprint import Footprint, footprint_of
from .manifest import supported_on_runtime, version_of

_MAX_VERSION: Final = 128


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes the records of installed plugins, audit entries and events."""

    installed: InstalledPlugins
    audit: Audit
    dispatcher: Dispatcher

    async def record(
        self,
        workspace: Workspace,
        source: Source,
        bundle: Bundle,
        footprints: Sequence[Footprint],
        *,
        verified: bool,
        activation: Mapping[str, JSON] | None = None,
    ) -> None:
        """Record the bundle as installed. `footprints` are its own and those of the versions before it that may have
        left something, newest first. `activation` is what lies beside its directory. May be repeated."""
        paths = [file.path for file in bundle.files]
        record = InstalledRecord(
            workspace=workspace.id,
            name=bundle.name,
            source=str(source),
            origin=bundle.origin,
            digest=bundle.digest,
            revision=bundle.revision,
            version=version_of(bundle.manifest) if bundle.contents is None else _version_of(bundle.contents),
            manifest=bundle.manifest,
            footprints=tuple(footprint.to_json() for footprint in footprints),
            verified=verified,
            supported=supported_on_runtime(bundle.manifest, paths, workspace.runtime),
            adapters=tuple(path for path in paths if path.startswith("adapters/") and path.endswith(".py")),
            installed_at=time.time(),
            activation=activation,
            layout=workspace.layout,
            contents=None if bundle.contents is None else contents_in_short(bundle.contents),
        )
        await self.installed.put(record)

    async def record_download(self, workspace: Workspace, source: Source, bundle: Bundle) -> None:
        """Record what an external workspace has downloaded, as not verified, and report it to the observers."""
        earlier = (await self.installed.of_workspace(workspace.id)).get(bundle.name)
        footprints = with_older(await asyncio.to_thread(footprint_of, bundle), footprints_of(earlier))
        await self.record(workspace, source, bundle, footprints, verified=False)
        await self.dispatcher.observe(
            Event("plugin.downloaded", workspace.id, bundle.name, str(source), bundle.digest)
        )

    async def report(
        self,
        kind: str,
        operation: Operation,
        plugin: str,
        source: str | None,
        digest: str | None,
        more: Mapping[str, JSON] | None = None,
    ) -> None:
        """Report a success to the audit log and the observers; `kind` is that of the `Event`. `more` is for the audit
        log alone."""
        fields: dict[str, JSON] = {"plugin": plugin, "source": source, "digest": digest, "operation": operation.id}
        await self.audit.write(operation.actor, kind, operation.workspace, {**fields, **(more or {})})
        await self.dispatcher.observe(Event(kind, operation.workspace, plugin, source, digest, operation.id))


def _version_of(contents: Contents) -> str | None:
    """Return the version as the column holds it: a format of a third party may answer with any text."""
    return None if contents.version is None else contents.version[:_MAX_VERSION]


def footprints_of(record: InstalledRecord | None) -> list[Footprint]:
    """Return the footprints of a recorded plugin, newest first; none if it is not recorded."""
    return [Footprint.from_json(stored) for stored in (record.footprints if record else ())]


def with_older(current: Footprint, older: Sequence[Footprint]) -> list[Footprint]:
    """Return the current footprint and those of other versions, newest first."""
    return [current, *(footprint for footprint in older if not footprint.is_same_version(current))]
