"""What the catalog's plugins have, as the formats read them. A plugin is read again only if a file of it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..hookspecs.errors import PlugportError
from ..hookspecs.values import Contents, TreeEntry
from .catalog import CatalogPlugin
from .pipeline.read import PluginReader, read_contents
from .pipeline.tree_check import check_tree

_Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class CatalogContents:
    """Reads plugins of the folder. `max_bytes` and `max_files` bound each."""

    reader: PluginReader
    folder: Path
    max_bytes: int
    max_files: int
    _known: dict[str, tuple[_Fingerprint, Contents]] = field(default_factory=dict)

    async def of(self, plugins: Iterable[CatalogPlugin]) -> list[Contents | None]:
        """Return the contents of each plugin, None for one that an install would refuse."""
        return [await self._of(plugin) for plugin in plugins]

    async def _of(self, plugin: CatalogPlugin) -> Contents | None:
        try:
            entries, fingerprint = await asyncio.to_thread(self._entries, plugin.name)
            known = self._known.get(plugin.name)
            if known is not None and known[0] == fingerprint:
                return known[1]
            contents = await read_contents(self.reader, entries, plugin.manifest)
        except (PlugportError, OSError):
            self._known.pop(plugin.name, None)
            return None
        self._known[plugin.name] = fingerprint, contents
        return contents

    def _entries(self, name: str) -> tuple[list[TreeEntry], _Fingerprint]:
        root = (self.folder / name).resolve(strict=True)
        entries = check_tree(root, max_bytes=self.max_bytes, max_files=self.max_files)
        stats = ((entry.path, entry.origin.stat()) for entry in sorted(entries, key=lambda entry: entry.path))
        return entries, tuple((path, status.st_size, status.st_mtime_ns) for path, status in stats)
