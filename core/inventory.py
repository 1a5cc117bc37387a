"""The inventory of a workspace: what lies on the target, beside what the service recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..hookspecs import errors
from ..hookspecs.values import JSON, InstalledPlugin, Workspace
from .dispatcher import Dispatcher
from .pipeline.admission import require_running
from .pipeline.bounded_yaml import YamlInvalid, to_json
from .pipeline.display import displayed
from .pipeline.manifest import parse_manifest_text, supported_on_runtime
from .store.installed import InstalledPlugins, InstalledRecord

Drift = Literal["none", "modified", "missing", "unmanaged", "unknown"]


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """A plugin of a workspace: as it lies on the target, as it was recorded, or both. `adapters` are paths below its
    root, as far as they are known: a target does not list them."""

    name: str
    manifest: Mapping[str, JSON]
    on_target: InstalledPlugin | None
    record: InstalledRecord | None
    adapters: tuple[str, ...] = ()

    @property
    def digest(self) -> str | None:
        """The digest on the target, or the recorded one if the plugin is not on the target."""
        if self.on_target is not None:
            return self.on_target.digest
        return self.record.digest if self.record else None

    @property
    def contents(self) -> Mapping[str, JSON] | None:
        """What was recorded of its contents; None if it is not known whether the target has the same."""
        if self.record is None or self.digest != self.record.digest:
            return None
        return self.record.contents

    @property
    def drift(self) -> Drift:
        """How the target differs from the record."""
        if self.record is None:
            return "unmanaged"
        if not self.record.verified or (self.on_target is not None and self.on_target.digest is None):
            return "unknown"
        if self.on_target is None:
            return "missing"
        return "none" if self.on_target.digest == self.record.digest else "modified"

    def supports(self, runtime: str | None) -> bool:
        """Return whether the plugin supports the runtime."""
        return supported_on_runtime(self.manifest, self.adapters, runtime)


async def inventory(dispatcher: Dispatcher, installed: InstalledPlugins, workspace: Workspace) -> list[InventoryItem]:
    """Return every plugin of the workspace, by name. Under a native layout the runtime has folders of its own beside
    the plugins: what is not recorded counts only if it has a `plugin.yaml`.

    Raises `WorkspaceNotRunning`, `BackendUnavailable` and what `list_installed` may raise.
    """
    require_running(await dispatcher.is_running(workspace))
    listed = await asyncio.to_thread(_cleaned_each, await dispatcher.list_installed(workspace))
    records = await installed.of_workspace(workspace.id)
    on_target = {
        plugin.name: plugin
        for plugin in listed
        if plugin.name in records or plugin.manifest or workspace.layout in {None, "adaptor"}
    }
    names = sorted(on_target.keys() | records.keys())
    return [_item(name, on_target.get(name), records.get(name), workspace) for name in names]


def _cleaned_each(listed: Iterable[InstalledPlugin]) -> list[InstalledPlugin]:
    """Clean every plugin: in a thread, since PyYAML takes its time for a manifest that somebody wrote."""
    return [_cleaned(plugin) for plugin in listed]


def _cleaned(plugin: InstalledPlugin) -> InstalledPlugin:
    """Return the plugin with texts and a manifest that every encoder takes: whoever owns the target chose them.

    Raises `BackendUnavailable` if the backend answered with something else than texts.
    """
    if not isinstance(plugin.name, str) or not isinstance(plugin.digest, str | None):
        raise errors.BackendUnavailable("list_installed answered with a name or a digest that is no text")
    manifest = plugin.manifest
    try:
        cleaned = parse_manifest_text(manifest) if isinstance(manifest, str) else to_json(dict(manifest or {}))
    except (YamlInvalid, RecursionError, TypeError, ValueError):
        cleaned = {}
    return InstalledPlugin(
        displayed(plugin.name),
        plugin.digest and displayed(plugin.digest),
        cleaned if isinstance(cleaned, dict) else {},
    )


def _item(
    name: str, on_target: InstalledPlugin | None, record: InstalledRecord | None, workspace: Workspace
) -> InventoryItem:
    manifest = on_target.manifest if on_target else record.manifest if record else None
    adapters: tuple[str, ...] = ()
    if record is not None and (on_target is None or on_target.digest == record.digest):
        adapters = _recorded_adapters(record, workspace)
    return InventoryItem(name, manifest if isinstance(manifest, Mapping) else {}, on_target, record, adapters)


def _recorded_adapters(record: InstalledRecord, workspace: Workspace) -> tuple[str, ...]:
    """Return the plugin's adapters. The first release recorded only whether the workspace's runtime is supported."""
    if record.adapters is not None:
        return record.adapters
    return (f"adapters/{workspace.runtime_name}.py",) if record.supported and workspace.runtime_name else ()
