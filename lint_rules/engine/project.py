"""The modules of one run, and the summaries that a rule may read of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping

from ...hookspecs import JSON


class ModuleTable:
    """Finds the file of a module, as Python would for the importing file."""

    def __init__(self, modules: Iterable[tuple[str, str | None]]) -> None:
        """`modules` are pairs of relative path and dotted name."""
        self._by_name: dict[str, str] = {}
        self._paths: set[str] = set()
        for path, module in modules:
            self._paths.add(path)
            if module is not None:
                known = self._by_name.get(module)
                if known is None or path.endswith("/__init__.py"):
                    self._by_name[module] = path

    def find(self, module: str, importer: str) -> str | None:
        """Return the relative path of the module that the file `importer` imports, or None.

        The module's name in the project comes first. Else the folders around the importer are searched, the nearest
        first, because a script's own folder (or that of an application inside a larger tree) is on `sys.path` when it
        runs. The importer's own folder comes before everything if it is no package.
        """
        tail = module.replace(".", "/")
        folders = importer.split("/")[:-1]
        own = "/".join(folders)
        if (
            own
            and f"{own}/__init__.py" not in self._paths
            and module.partition(".")[0] not in sys.stdlib_module_names
        ):
            nearest = self._below(own, tail)
            if nearest is not None:
                return nearest
        if (path := self._by_name.get(module)) is not None:
            return path
        if module.partition(".")[0] in sys.stdlib_module_names:
            return None
        while folders:
            folders.pop()
            if (path := self._below("/".join(folders), tail)) is not None:
                return path
        return None

    def _below(self, folder: str, tail: str) -> str | None:
        base = f"{folder}/{tail}" if folder else tail
        for candidate in (f"{base}/__init__.py", f"{base}.py"):
            if candidate in self._paths:
                return candidate
        return None


class SummaryStore:
    """All summaries of one rule by relative path, as JSON texts with their digests. Each is decoded once."""

    def __init__(self, bodies: Mapping[str, str], digests: Mapping[str, str | None]) -> None:
        self._bodies = bodies
        self.digests = digests
        self._decoded: dict[str, JSON] = {}

    def get(self, path: str) -> JSON:
        """Return the summary of a file; None if it has none."""
        if path not in self._decoded:
            body = self._bodies.get(path)
            self._decoded[path] = json.loads(body) if body is not None else None
        return self._decoded[path]


class Summaries:
    """The summaries that one rule made of the project's files, for the check of one file.

    What a check reads here becomes a dependency of its result: the cached result is dropped if that summary changes.
    `reads` has, by module, the path at which it was found and the digest of the summary.
    """

    def __init__(self, table: ModuleTable, store: SummaryStore, importer: str) -> None:
        self._table = table
        self._store = store
        self._importer = importer
        self.reads: dict[str, list[str | None]] = {}

    def of_module(self, module: str) -> JSON:
        """Return the summary of the project's module of that dotted name; None if there is none."""
        path = self.path_of(module)
        return self._store.get(path) if path is not None else None

    def path_of(self, module: str) -> str | None:
        """Return the relative path of that module; None if it is not the project's."""
        path = self._table.find(module, self._importer)
        self.reads[module] = [path, self._store.digests.get(path) if path is not None else None]
        return path
