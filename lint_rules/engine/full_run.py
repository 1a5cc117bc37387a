"""What a run does where the cache does not know: imports the rules and takes them through their stages."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from . import rule_executor as work
from .cache import Row, digest
from .contract import Rule
from .errors import ConfigurationError
from .rule_executor import Alone, Checked, Crash, Job, Linked, Summary, Workbench

if TYPE_CHECKING:
    from .incremental import Ledger, Stages
    from .process_pool import Crew

PARALLEL_FROM = 400_000
"""Bytes of source that rules want to read, from which on processes pay for themselves."""


class ColdRun:
    """One run of the rules. Crashes are kept in `crashes`, and the rest goes on."""

    def __init__(self, stages: Stages, ledgers: Sequence[Ledger]) -> None:
        self.crashes: list[Crash] = []
        self.problems: list[str] = []
        self._stages = stages
        self._files = stages.files
        self._ledgers: dict[str, Ledger] = {}
        self._rules: dict[str, Rule] = {}
        for ledger in ledgers:
            code = ledger.rule.code
            try:
                self._rules[code] = ledger.rule.make(stages.configuration.table)
                self._ledgers[code] = ledger
            except ConfigurationError:
                raise
            except Exception as error:  # noqa: BLE001 - the engine's edge: a rule that cannot be had is named
                reason = f"{type(error).__name__}: {error}"
                self.problems.append(f"{code} of {ledger.rule.origin} is lost: {ledger.rule.target} raised {reason}")
                ledger.skipped.update(stages.files)

    def run(self, fresh: Mapping[str, Sequence[str]], checked: Sequence[str]) -> None:
        """Summarise what is fresh, link, and check what is to be checked and not known."""
        wanted = self._wanted(fresh)
        maybe = {path for paths in wanted.values() for path in paths} | {
            path
            for ledger in self._ledgers.values()
            for path in checked
            if (row := ledger.rows.get(path)) is not None and row.wanted and row.linked is None
        }
        with _without_collector(), self._bench(maybe) as bench:
            for job, summaries in bench.summarise(_jobs(wanted)):
                for code, answer in summaries.items():
                    self._note_summary(code, job.path, answer)
            links = {code: self._link(ledger) for code, ledger in self._ledgers.items()}
            stale = {
                code: self._stages.unchecked(self._ledgers[code], checked, (link[0], link[1]))
                for code, link in links.items()
                if link is not None
            }
            digests = {code: digest(link[1].encode()) for code, link in links.items() if link is not None}
            bench.link({code: self._linked(code, link[1]) for code, link in links.items() if link and stale[code]})
            for job, results in bench.check(_jobs(stale)):
                for code, found in results.items():
                    self._note_findings(code, job.path, digests[code], found)

    def _wanted(self, fresh: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        wanted: dict[str, list[str]] = {}
        for code, ledger in self._ledgers.items():
            rule = self._rules[code]
            for path in fresh[code]:
                answer = work.wants(code, rule, path, self._files[path].data)
                if isinstance(answer, Crash):
                    self._crashed(answer)
                elif answer:
                    wanted.setdefault(code, []).append(path)
                else:
                    ledger.put(path, Row(self._stages.content[path], wanted=False))
        return wanted

    def _note_summary(self, code: str, path: str, answer: Summary | Crash) -> None:
        if isinstance(answer, Crash):
            self._crashed(answer)
        else:
            row = Row(self._stages.content[path], wanted=True, summary=answer.digest)
            self._ledgers[code].put(path, row, answer.body)

    def _note_findings(self, code: str, path: str, linked: str, answer: Checked | Crash) -> None:
        ledger = self._ledgers[code]
        if isinstance(answer, Crash):
            self._crashed(answer)
        else:
            row = replace(ledger.rows[path], linked=linked, findings=answer.findings, reads=answer.reads)
            ledger.put(path, row)

    def _link(self, ledger: Ledger) -> tuple[str, str] | None:
        project = self._stages.project_digest(ledger)
        if ledger.cached_link is not None and ledger.cached_link[0] == project:
            return ledger.cached_link
        code = ledger.rule.code
        facts = work.link(code, self._rules[code], self._bodies(ledger))
        if isinstance(facts, Crash):
            self._crashed(facts)
            ledger.skipped.update(self._files)
            return None
        ledger.new_link = (project, facts)
        return ledger.new_link

    def _linked(self, code: str, facts: str) -> Linked:
        ledger = self._ledgers[code]
        return Linked(facts, self._bodies(ledger), ledger.digests(self._files))

    def _bodies(self, ledger: Ledger) -> dict[str, str]:
        cached = self._stages.cache.summaries(ledger.key)
        return {
            path: body
            for path in self._files
            if (row := ledger.rows.get(path)) is not None
            and row.summary is not None
            and (body := ledger.new_summaries.get(path) or cached.get(path)) is not None
        }

    def _crashed(self, crash: Crash) -> None:
        self.crashes.append(crash)
        ledger = self._ledgers[crash.rule]
        ledger.skipped.add(crash.path)
        ledger.new_rows.pop(crash.path, None)

    @contextmanager
    def _bench(self, paths: Iterable[str]) -> Iterator[Alone | Crew]:
        bench = Workbench(self._rules, self._files, self._stages.table)
        weights = {path: len(self._files[path].data) for path in self._files}
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if cores < 2 or sum(weights[path] for path in paths) < PARALLEL_FROM:
            yield Alone(bench)
            return
        from .process_pool import Crew

        with Crew(bench, cores, weights) as crew:
            yield crew


@contextmanager
def _without_collector() -> Iterator[None]:
    """Trees hold millions of objects and no circles: looking for some takes a fifth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _jobs(paths_by_code: Mapping[str, Iterable[str]]) -> list[Job]:
    codes: dict[str, list[str]] = {}
    for code, paths in paths_by_code.items():
        for path in paths:
            codes.setdefault(path, []).append(code)
    return [Job(path, tuple(which)) for path, which in codes.items()]
