"""Runs the rules over files in one process, and turns whatever a rule raises into a `Crash`."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .cache import canonical, digest
from .contract import JSON, Finding, Fix, Span, TextEdit, TraceStep
from .errors import Unparsable
from .project import ModuleTable, Summaries, SummaryStore
from .source_file import SourceFile

if TYPE_CHECKING:
    from .lint_rule import LintRule

LONGEST = 5
"""Lines that a finding may span."""
_RETAINED = 6_000_000
"""Bytes of source whose `ast` trees (about thirty times as large) are kept from the summaries to the checks."""


@dataclass(frozen=True, slots=True)
class Crash:
    """A rule that failed on a file. `stage` is the rule's method; `detail` the traceback, for its author."""

    rule: str
    path: str
    stage: str
    reason: str
    detail: str = ""

    @property
    def message(self) -> str:
        """One line for a report."""
        return f"{self.rule} crashed in {self.stage}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Summary:
    """One rule's summary of one file as JSON, with its digest; both None if there is none."""

    body: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One rule's findings in one file and the summaries that it read for them, both as JSON."""

    findings: str
    reads: str


@dataclass(frozen=True, slots=True)
class Job:
    """One file and the codes of the rules to run on it."""

    path: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """What the checks of one rule receive beside the file: `facts` and each summary in `bodies` are JSON."""

    facts: str
    bodies: Mapping[str, str]
    digests: Mapping[str, str | None]


class RuleExecutor:
    """The rules of one run with the files that they read."""

    def __init__(self, rules: Mapping[str, LintRule], files: Mapping[str, SourceFile], table: ModuleTable) -> None:
        self._rules = rules
        self._files = files
        self._table = table
        self._retained = 0
        self._linked: dict[str, tuple[JSON, SummaryStore]] = {}

    def summarise(self, job: Job) -> dict[str, Summary | Crash]:
        """Return what each rule of the job tells other files of this one, by code."""
        file = self._files[job.path]
        answers: dict[str, Summary | Crash] = {}
        for code in job.codes:
            try:
                answers[code] = _summary(self._rules[code].summarise(file))
            except (Unparsable, RecursionError):
                answers[code] = Summary(None, None)  # `check` reports it, if this file is checked
            except Exception as error:  # noqa: BLE001 - the engine's edge: a rule's failure is named, not spread
                answers[code] = _crash(code, job.path, "summarise", error)
        self._retained += len(file.data)
        if self._retained > _RETAINED:
            file.forget()
        return answers

    def link(self, linked: Mapping[str, Linked]) -> None:
        """Take what `check` needs. Call it before the first `check`."""
        self._linked = {
            code: (json.loads(item.facts), SummaryStore(item.bodies, item.digests)) for code, item in linked.items()
        }

    def check(self, job: Job) -> dict[str, CheckResult | Crash]:
        """Return the findings of each rule of the job in the file, by code."""
        file = self._files[job.path]
        answers: dict[str, CheckResult | Crash] = {}
        for code in job.codes:
            facts, store = self._linked[code]
            summaries = Summaries(self._table, store, job.path)
            try:
                findings = _accepted(code, file, self._rules[code].check(file, facts, summaries))
            except Unparsable as error:
                findings = [_unparsable(file, error)]
            except RecursionError:
                findings = [_unparsable(file, Unparsable(1, 1, f"it is nested too deeply for {code}"))]
            except Exception as error:  # noqa: BLE001 - as above
                answers[code] = _crash(code, job.path, "check", error)
                continue
            if not findings and file.unparsable is not None:  # its summary was wanted, and there is none
                findings = [_unparsable(file, file.unparsable)]
            answers[code] = CheckResult(encode(findings), canonical(summaries.reads).decode())
        file.forget()
        return answers


class SerialExecutor:
    """Runs jobs one after another in this process; `ProcessPool` does the same over several processes."""

    def __init__(self, executor: RuleExecutor) -> None:
        self._executor = executor
        self.link = executor.link

    def summarise(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, Summary | Crash]]]:
        """Yield each job with its `RuleExecutor.summarise`."""
        return ((job, self._executor.summarise(job)) for job in jobs)

    def check(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, CheckResult | Crash]]]:
        """Yield each job with its `RuleExecutor.check`."""
        return ((job, self._executor.check(job)) for job in jobs)


def encode(findings: Iterable[Finding]) -> str:
    """Return findings as JSON, for the cache and for other processes. The path is left out: the reader knows it."""
    return json.dumps(
        [
            [
                finding.rule,
                finding.span.line,
                finding.span.column,
                finding.span.end_line,
                finding.span.end_column,
                finding.message,
                [[step.path, step.line, step.message] for step in finding.trace],
                _encoded_fix(finding.fix),
            ]
            for finding in findings
        ],
        separators=(",", ":"),
    )


def decode(path: str, findings: str) -> list[Finding]:
    """Return what `encode` was given, for the file at `path`."""
    if findings == "[]":
        return []
    return [
        Finding(rule, path, Span(*span), message, tuple(TraceStep(*step) for step in trace), _decoded_fix(fix))
        for rule, *span, message, trace, fix in json.loads(findings)
    ]


def _encoded_fix(fix: Fix | None) -> JSON:
    if fix is None:
        return None
    edits: list[JSON] = [
        [edit.span.line, edit.span.column, edit.span.end_line, edit.span.end_column, edit.text] for edit in fix.edits
    ]
    return [fix.title, edits, fix.is_safe]


def _decoded_fix(fix: tuple[str, list[tuple[int, int, int, int, str]], bool] | None) -> Fix | None:
    if fix is None:
        return None
    title, edits, is_safe = fix
    return Fix(title, tuple(TextEdit(Span(*span), text) for *span, text in edits), is_safe)


def link_summaries(code: str, rule: LintRule, bodies: Mapping[str, str]) -> str | Crash:
    """Return the rule's facts about the whole project as JSON."""
    summaries = {path: json.loads(body) for path, body in bodies.items()}
    try:
        return canonical(rule.link(summaries)).decode()
    except Exception as error:  # noqa: BLE001 - as above
        return _crash(code, "", "link", error)


def wants_file(code: str, rule: LintRule, path: str, data: bytes) -> bool | Crash:
    """Return whether the rule needs to read the file."""
    try:
        return bool(rule.wants(data))
    except Exception as error:  # noqa: BLE001 - as above
        return _crash(code, path, "wants", error)


def _summary(value: JSON) -> Summary:
    if value is None:
        return Summary(None, None)
    body = canonical(value)
    return Summary(body.decode(), digest(body))


def _accepted(code: str, file: SourceFile, findings: Iterable[Finding]) -> Sequence[Finding]:
    kept: dict[tuple[Span, str], Finding] = {}
    for finding in findings:
        if finding.rule != code or finding.path != file.relative:
            raise ValueError(
                f"it reported {finding.rule} in {finding.path}: a rule reports under its own code and in its own file"
            )
        span = finding.span
        if span.end_line - span.line >= LONGEST:
            last = span.line + LONGEST - 1
            finding = replace(finding, span=Span(span.line, span.column, last, len(file.line(last)) + 1))  # noqa: PLW2901
        kept.setdefault((finding.span, finding.message), finding)
    return list(kept.values())


def _unparsable(file: SourceFile, error: Unparsable) -> Finding:
    try:
        end = max(len(file.line(error.line)) + 1, error.column)
    except Unparsable:
        end = error.column
    return Finding(
        "PP900", file.relative, Span(error.line, error.column, error.line, end), f"cannot be read as Python: {error}"
    )


def _crash(code: str, path: str, stage: str, error: Exception) -> Crash:
    return Crash(code, path, stage, f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))
