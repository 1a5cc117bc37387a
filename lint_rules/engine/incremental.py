"""Brings the results of every rule up to date, and runs again only what the cache does not know."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .cache import ResultCache, Row, canonical, digest
from .configuration import Configuration
from .installed_rules import InstalledRule
from .project import ModuleTable
from .source_file import SourceFile

if TYPE_CHECKING:
    from .full_run import FullRun


class RuleState:
    """What is known of one rule in this run: from the cache at first, then from the rule. `skipped` are files on
    which the rule crashed: the next run tries them again."""

    def __init__(self, rule: InstalledRule, key: str, cache: ResultCache) -> None:
        self.rule = rule
        self.key = key
        self.rows: dict[str, Row] = cache.rows(key)
        self.cached_link = cache.linked(key)
        self.new_rows: dict[str, Row] = {}
        self.new_summaries: dict[str, str] = {}
        self.new_link: tuple[str, str] | None = None
        self.skipped: set[str] = set()

    def put(self, path: str, row: Row, body: str | None = None) -> None:
        """Note what the rule said of a file; `body` is its summary as JSON."""
        self.rows[path] = self.new_rows[path] = row
        if body is not None:
            self.new_summaries[path] = body

    def digests(self, paths: Iterable[str]) -> dict[str, str | None]:
        """Return the digests of the summaries of these files."""
        return {path: row.summary for path in paths if (row := self.rows.get(path)) is not None}


class IncrementalRun:
    """One run over a project. It imports the rules only if the cache does not know an answer."""

    def __init__(
        self, configuration: Configuration, cache: ResultCache, files: Mapping[str, SourceFile], table: ModuleTable
    ) -> None:
        self.configuration = configuration
        self.cache = cache
        self.files = files
        self.table = table
        self.content = {
            path: digest(file.data, path.encode("utf-8", "surrogatepass"), (file.module or "").encode())
            for path, file in files.items()
        }
        self._base = _base_key(configuration)

    def update(
        self, rules: Sequence[InstalledRule], checked: Sequence[str]
    ) -> tuple[list[RuleState], FullRun | None]:
        """Bring every rule's state up to date for the files to check. The second result is the run that this took,
        with its crashes, or None if the cache knew everything."""
        states = [RuleState(rule, self._key(rule), self.cache) for rule in rules]
        changed = {state.rule.code: self._changed(state) for state in states}
        is_known = all(not changed[state.rule.code] and self._is_linked(state) for state in states)
        if is_known and not any(self.unchecked(state, checked, state.cached_link) for state in states):
            return states, None
        from .full_run import FullRun

        full_run = FullRun(self, states)
        full_run.update(changed, checked)
        return states, full_run

    def save(self, states: Sequence[RuleState]) -> None:
        """Write what is new to the cache."""
        for state in states:
            gone = [
                path
                for path in state.rows.keys() - self.files.keys()
                if not (self.configuration.root / path).exists()
            ]
            if state.new_rows or state.new_link or gone:
                self.cache.save(state.key, state.new_rows, state.new_summaries, state.new_link, gone)

    def unchecked(self, state: RuleState, checked: Iterable[str], link: tuple[str, str] | None) -> list[str]:
        """Return the files whose findings are not known under these linked facts (project digest, JSON)."""
        linked = digest(link[1].encode()) if link else None
        return [
            path
            for path in checked
            if path not in state.skipped
            and (row := state.rows[path]).wanted
            and (row.linked != linked or (row.reads != "{}" and not self._are_reads_current(state, path, row)))
        ]

    def project_digest(self, state: RuleState) -> str:
        """Return a digest of all summaries of a rule."""
        rows = state.rows
        parts = [f"{path}\0{rows[path].summary}" for path in self.files if path in rows and rows[path].summary]
        return digest("\n".join(parts).encode("utf-8", "surrogatepass"))

    def _is_linked(self, state: RuleState) -> bool:
        return state.cached_link is not None and state.cached_link[0] == self.project_digest(state)

    def _changed(self, state: RuleState) -> list[str]:
        rows = state.rows
        return [
            path
            for path, content in self.content.items()
            if (row := rows.get(path)) is None or row.content != content
        ]

    def _are_reads_current(self, state: RuleState, path: str, row: Row) -> bool:
        for module, (read_path, read_summary) in json.loads(row.reads).items():
            current_path = self.table.find(module, path)
            current = state.rows.get(current_path) if current_path is not None else None
            if current_path != read_path or (current.summary if current is not None else None) != read_summary:
                return False
        return True

    def _key(self, rule: InstalledRule) -> str:
        return digest(self._base, "\0".join((rule.code, rule.version, rule.target, rule.origin)).encode())


def _base_key(configuration: Configuration) -> bytes:
    """Return what every rule's results depend on: the configuration, this interpreter, LibCST, and the gates' own
    source files."""
    table = {key: value for key, value in configuration.table.items() if key != "exclude"}
    try:
        libcst = importlib.metadata.version("libcst")
    except importlib.metadata.PackageNotFoundError:
        libcst = ""
    own = []
    for folder, _, names in os.walk(Path(__file__).parents[1]):
        for name in names:
            if name.endswith(".py"):
                status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - every run pays for this
                own.append(f"{name} {status.st_size} {status.st_mtime_ns}")
    return canonical([table, list(sys.version_info[:2]), libcst, sorted(own)])
