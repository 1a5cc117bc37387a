"""Runs the rules' stages over the files, and does again only what the cache does not know."""

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
from .installed_rules import KnownRule
from .project import ModuleTable
from .source_file import LintFile

if TYPE_CHECKING:
    from .full_run import ColdRun


class Ledger:
    """What is known of one rule in this run: from the cache at first, from the rule where that does not do."""

    def __init__(self, rule: KnownRule, key: str, cache: ResultCache) -> None:
        self.rule = rule
        self.key = key
        self.rows: dict[str, Row] = cache.rows(key)
        self.cached_link = cache.linked(key)
        self.new_rows: dict[str, Row] = {}
        self.new_summaries: dict[str, str] = {}
        self.new_link: tuple[str, str] | None = None
        self.skipped: set[str] = set()
        """Files on which the rule crashed: they are tried again in the next run."""

    def put(self, path: str, row: Row, body: str | None = None) -> None:
        """Note what the rule said of a file."""
        self.rows[path] = self.new_rows[path] = row
        if body is not None:
            self.new_summaries[path] = body

    def digests(self, paths: Iterable[str]) -> dict[str, str | None]:
        """The digests of the summaries of these files."""
        return {path: row.summary for path in paths if (row := self.rows.get(path)) is not None}


class Stages:
    """The stages of one run. The rules are imported only where the cache does not know an answer."""

    def __init__(
        self, configuration: Configuration, cache: ResultCache, files: Mapping[str, LintFile], table: ModuleTable
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

    def run(self, rules: Sequence[KnownRule], checked: Sequence[str]) -> tuple[list[Ledger], ColdRun | None]:
        """Bring every rule's ledger up to date for the files to check; the second is what had to be done for it,
        with its crashes, or None for a warm run."""
        ledgers = [Ledger(rule, self._key(rule), self.cache) for rule in rules]
        fresh = {ledger.rule.code: self._fresh(ledger) for ledger in ledgers}
        unlinked = {ledger.rule.code for ledger in ledgers if not self._is_linked(ledger)}
        if not any(fresh.values()) and not unlinked:
            stale = {ledger.rule.code: self.unchecked(ledger, checked, ledger.cached_link) for ledger in ledgers}
            if not any(stale.values()):
                return ledgers, None
        from .full_run import ColdRun

        cold = ColdRun(self, ledgers)
        cold.run(fresh, checked)
        return ledgers, cold

    def save(self, ledgers: Sequence[Ledger]) -> None:
        """Keep what is new."""
        for ledger in ledgers:
            gone = [
                path
                for path in ledger.rows.keys() - self.files.keys()
                if not (self.configuration.root / path).exists()
            ]
            if ledger.new_rows or ledger.new_link or gone:
                self.cache.save(ledger.key, ledger.new_rows, ledger.new_summaries, ledger.new_link, gone)

    def unchecked(self, ledger: Ledger, checked: Iterable[str], link: tuple[str, str] | None) -> list[str]:
        """The files whose findings are not known under these linked facts (their digest, their JSON)."""
        linked = digest(link[1].encode()) if link else None
        return [
            path
            for path in checked
            if path not in ledger.skipped
            and (row := ledger.rows[path]).wanted
            and (row.linked != linked or (row.reads != "{}" and not self._reads_hold(ledger, path, row)))
        ]

    def project_digest(self, ledger: Ledger) -> str:
        """A digest of all summaries of a rule."""
        rows = ledger.rows
        parts = [f"{path}\0{rows[path].summary}" for path in self.files if path in rows and rows[path].summary]
        return digest("\n".join(parts).encode("utf-8", "surrogatepass"))

    def _is_linked(self, ledger: Ledger) -> bool:
        return ledger.cached_link is not None and ledger.cached_link[0] == self.project_digest(ledger)

    def _fresh(self, ledger: Ledger) -> list[str]:
        rows = ledger.rows
        return [
            path
            for path, content in self.content.items()
            if (row := rows.get(path)) is None or row.content != content
        ]

    def _reads_hold(self, ledger: Ledger, path: str, row: Row) -> bool:
        for module, (found, summary) in json.loads(row.reads).items():
            now = self.table.find(module, path)
            of_module = ledger.rows.get(now) if now is not None else None
            if now != found or (of_module.summary if of_module is not None else None) != summary:
                return False
        return True

    def _key(self, rule: KnownRule) -> str:
        return digest(self._base, "\0".join((rule.code, rule.version, rule.target, rule.origin)).encode())


def _base_key(configuration: Configuration) -> bytes:
    """What every rule's results depend on: the configuration, this interpreter, LibCST, and these very sources."""
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
