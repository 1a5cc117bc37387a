"""The inventory of a workspace: what lies on the target, beside what the service recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..hookspecs.values import JSON, InstalledPlugin, Workspace
from .dispatcher import Dispatcher
from .pipeline.admission import require_running
from .pipeline.manifest import parse_manifest_text, supported_on_runtime
from .store.installed import InstalledPlugins, InstalledRecord

Drift = Literal["none", "modified", "missing", "unmanaged", "unknown"]


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """A plugin of a workspace: as it lies on the target, as it was recorded, or both."""

    name: str
    manifest: Mapping[str, JSON]
    on_target: InstalledPlugin | None
    record: InstalledRecord | None

    @property
    def digest(self) -> str | None:
        """The digest on the target, or the recorded one if the plugin is not on the target."""
        if self.on_target is not None:
            return self.on_target.digest
        return self.record.digest if self.record else None

    @property
    def drift(self) -> Drift:
        """How the target differs from the record."""
        if self.record is None:
            return "unmanaged"
        if not self.record.verified:
            return "unknown"
        if self.on_target is None:
            return "missing"
        return "none" if self.on_target.digest == self.record.digest else "modified"

    def supports(self, runtime: str | None) -> bool:
        """Return whether the plugin supports the runtime, by its manifest or by the record (which knows its
        adapters)."""
        by_manifest = supported_on_runtime(self.manifest, (), runtime)
        return by_manifest or (self.record is not None and self.drift == "none" and self.record.supported)


async def inventory(dispatcher: Dispatcher, installed: InstalledPlugins, workspace: Workspace) -> list[InventoryItem]:
    """Return every plugin of the workspace, by name.

    Raises `WorkspaceNotRunning`, `BackendUnavailable` and what `list_installed` may raise.
    """
    require_running(await dispatcher.is_running(workspace))
    on_target = {plugin.name: plugin for plugin in await dispatcher.list_installed(workspace)}
    records = await installed.of_workspace(workspace.id)
    return [_item(name, on_target.get(name), records.get(name)) for name in sorted(on_target.keys() | records.keys())]


def _item(name: str, on_target: InstalledPlugin | None, record: InstalledRecord | None) -> InventoryItem:
    manifest = on_target.manifest if on_target else record.manifest if record else None
    if isinstance(manifest, str):
        manifest = parse_manifest_text(manifest)
    return InventoryItem(name, manifest or {}, on_target, record)
