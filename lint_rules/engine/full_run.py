"""Runs the rules over what the cache does not know: imports them, summarises, links and checks."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from .cache import Row, digest
from .errors import ConfigurationError
from .old_rules import made
from .rule_executor import (
    CheckResult,
    Crash,
    Job,
    Linked,
    RuleExecutor,
    SerialExecutor,
    Summary,
    link_summaries,
    wants_file,
)

if TYPE_CHECKING:
    from .incremental import IncrementalRun, RuleState
    from .lint_rule import LintRule
    from .process_pool import ProcessPool

PARALLEL_FROM = 400_000
"""Bytes of source that rules want to read, from which on several processes are faster than one."""


class FullRun:
    """One run of the rules. `crashes` are rules that failed on a file, `problems` rules that could not be made, and
    the run goes on after either; `notes` say what the authors of rules must change."""

    def __init__(self, incremental: IncrementalRun, states: Sequence[RuleState]) -> None:
        self.crashes: list[Crash] = []
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._incremental = incremental
        self._files = incremental.files
        self._states: dict[str, RuleState] = {}
        self._rules: dict[str, LintRule] = {}
        for state in states:
            code = state.rule.code
            try:
                self._rules[code], note = made(state.rule, incremental.configuration.table)
                self._states[code] = state
                self.notes += [note] if note is not None else []
            except ConfigurationError:
                raise
            except Exception as error:  # noqa: BLE001 - the engine's edge: a rule that cannot be made is named
                reason = f"{type(error).__name__}: {error}"
                self.problems.append(f"{code} of {state.rule.origin} is lost: {state.rule.target} raised {reason}")
                state.skipped.update(self._files)

    def update(self, changed: Mapping[str, Sequence[str]], checked: Sequence[str]) -> None:
        """Summarise the changed files (paths by code), link, and check what of `checked` is not known."""
        wanted = self._wanted(changed)
        candidates = {path for paths in wanted.values() for path in paths} | {
            path
            for state in self._states.values()
            for path in checked
            if (row := state.rows.get(path)) is not None and row.wanted and row.linked is None
        }
        with _without_collector(), self._executor(candidates) as executor:
            for job, summaries in executor.summarise(_jobs(wanted)):
                for code, summary in summaries.items():
                    self._note_summary(code, job.path, summary)
            links = {code: link for code, state in self._states.items() if (link := self._link(state)) is not None}
            stale = {
                code: self._incremental.unchecked(self._states[code], checked, link) for code, link in links.items()
            }
            digests = {code: digest(facts.encode()) for code, (_, facts) in links.items()}
            executor.link({code: self._linked(code, facts) for code, (_, facts) in links.items() if stale[code]})
            for job, results in executor.check(_jobs(stale)):
                for code, result in results.items():
                    self._note_result(code, job.path, digests[code], result)

    def _wanted(self, changed: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        wanted: dict[str, list[str]] = {}
        for code, state in self._states.items():
            for path in changed[code]:
                answer = wants_file(code, self._rules[code], path, self._files[path].data)
                if isinstance(answer, Crash):
                    self._note_crash(answer)
                elif answer:
                    wanted.setdefault(code, []).append(path)
                else:
                    state.put(path, Row(self._incremental.content[path], wanted=False))
        return wanted

    def _note_summary(self, code: str, path: str, summary: Summary | Crash) -> None:
        if isinstance(summary, Crash):
            self._note_crash(summary)
        else:
            row = Row(self._incremental.content[path], wanted=True, summary=summary.digest)
            self._states[code].put(path, row, summary.body)

    def _note_result(self, code: str, path: str, linked: str, result: CheckResult | Crash) -> None:
        state = self._states[code]
        if isinstance(result, Crash):
            self._note_crash(result)
        else:
            state.put(path, replace(state.rows[path], linked=linked, findings=result.findings, reads=result.reads))

    def _note_crash(self, crash: Crash) -> None:
        self.crashes.append(crash)
        state = self._states[crash.rule]
        state.skipped.add(crash.path)
        state.new_rows.pop(crash.path, None)

    def _link(self, state: RuleState) -> tuple[str, str] | None:
        """Return the digest of all summaries of a rule, and the linked facts as JSON; None if the rule crashed."""
        project = self._incremental.project_digest(state)
        if state.cached_link is not None and state.cached_link[0] == project:
            return state.cached_link
        code = state.rule.code
        facts = link_summaries(code, self._rules[code], self._bodies(state))
        if isinstance(facts, Crash):
            self._note_crash(facts)
            state.skipped.update(self._files)
            return None
        state.new_link = (project, facts)
        return state.new_link

    def _linked(self, code: str, facts: str) -> Linked:
        state = self._states[code]
        return Linked(facts, self._bodies(state), state.digests(self._files))

    def _bodies(self, state: RuleState) -> dict[str, str]:
        cached = self._incremental.cache.summaries(state.key)
        return {
            path: body
            for path in self._files
            if (row := state.rows.get(path)) is not None
            and row.summary is not None
            and (body := state.new_summaries.get(path) or cached.get(path)) is not None
        }

    @contextmanager
    def _executor(self, paths: Iterable[str]) -> Iterator[SerialExecutor | ProcessPool]:
        executor = RuleExecutor(self._rules, self._files, self._incremental.table)
        weights = {path: len(file.data) for path, file in self._files.items()}
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if threading.current_thread() is not threading.main_thread():
            cores = 1  # a fork of a process with several threads may never go on
        if cores < 2 or sum(weights[path] for path in paths) < PARALLEL_FROM:
            yield SerialExecutor(executor)
            return
        from .process_pool import ProcessPool

        with ProcessPool(executor, cores, weights) as pool:
            yield pool


@contextmanager
def _without_collector() -> Iterator[None]:
    """Switch the garbage collector off: trees hold millions of objects and no cycles, and the search for cycles takes
    a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _jobs(paths_by_code: Mapping[str, Iterable[str]]) -> list[Job]:
    codes: dict[str, list[str]] = {}
    for code, paths in paths_by_code.items():
        for path in paths:
            codes.setdefault(path, []).append(code)
    return [Job(path, tuple(path_codes)) for path, path_codes in codes.items()]
