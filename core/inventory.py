"""What a workspace has: the target's own answer, beside what the service recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..hookspecs.values import JSON, InstalledPlugin, Workspace
from .dispatcher import Dispatcher
from .pipeline.admission import require_running
from .pipeline.manifest import parse_manifest_text, supported_on_runtime
from .store.ledger import Entry, Ledger

Drift = Literal["none", "modified", "missing", "unmanaged", "unknown"]


@dataclass(frozen=True, slots=True)
class Present:
    """A plugin of a workspace: as it was found there, as it was recorded, or both."""

    name: str
    manifest: Mapping[str, JSON]
    found: InstalledPlugin | None
    entry: Entry | None

    @property
    def digest(self) -> str | None:
        """The digest on the target, or the recorded one where nobody looked."""
        if self.found is not None:
            return self.found.digest
        return self.entry.digest if self.entry else None

    @property
    def version(self) -> str | None:
        """What its manifest calls its version."""
        version = self.manifest.get("version")
        return None if version is None else str(version)[:128]

    @property
    def drift(self) -> Drift:
        """How the target differs from what was recorded."""
        if self.entry is None:
            return "unmanaged"
        if not self.entry.verified:
            return "unknown"
        if self.found is None:
            return "missing"
        return "none" if self.found.digest == self.entry.digest else "modified"

    def supports(self, runtime: str | None) -> bool:
        """Whether it works on the runtime, as far as its manifest tells (the record also knows its adapters)."""
        by_manifest = supported_on_runtime(self.manifest, (), runtime)
        return by_manifest or (self.entry is not None and self.drift == "none" and self.entry.supported)


async def inventory(dispatcher: Dispatcher, ledger: Ledger, workspace: Workspace) -> list[Present]:
    """Every plugin of the workspace, by name.

    Raises `WorkspaceNotRunning`, `BackendUnavailable` and what `list_installed` may raise.
    """
    require_running(await dispatcher.is_running(workspace))
    found = {one.name: one for one in await dispatcher.list_installed(workspace)}
    entries = await ledger.of_workspace(workspace.id)
    return [
        Present(name, _manifest(found.get(name), entries.get(name)), found.get(name), entries.get(name))
        for name in sorted(found.keys() | entries.keys())
    ]


def _manifest(found: InstalledPlugin | None, entry: Entry | None) -> Mapping[str, JSON]:
    if found is None or found.manifest is None:
        return entry.manifest if entry is not None and found is None else {}
    return parse_manifest_text(found.manifest) if isinstance(found.manifest, str) else found.manifest
