"""The rules at work, in one process: summarises and checks one file after another, and contains what they do."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .cache import canonical, digest
from .contract import JSON, Finding, Rule, Span, TraceStep
from .errors import Unparsable
from .project import ModuleTable, RecordingSummaries, SummaryStore
from .source_file import LintFile

LONGEST = 5
"""Lines that a finding may cover."""
_RETAINED = 6_000_000
"""Bytes of source whose `ast` trees (about thirty times as large) are kept from the summaries to the checks."""


@dataclass(frozen=True, slots=True)
class Crash:
    """A rule that failed on a file. `stage` is what it was doing; `detail` the traceback, for its author."""

    rule: str
    path: str
    stage: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """One rule's summary of one file as JSON, with its digest; both None where there is none."""

    body: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """One rule's findings in one file and the summaries that it read for them, both as JSON."""

    findings: str
    reads: str


@dataclass(frozen=True, slots=True)
class Job:
    """One file and the rules whose turn it is."""

    path: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """What the checks of one rule are given beside the file: `facts` and each summary in `bodies` are JSON."""

    facts: str
    bodies: Mapping[str, str]
    digests: Mapping[str, str | None]


class Workbench:
    """The rules of one run with the files that they read. Whatever a rule raises comes back as a `Crash`."""

    def __init__(self, rules: Mapping[str, Rule], files: Mapping[str, LintFile], table: ModuleTable) -> None:
        self._rules = rules
        self._files = files
        self._table = table
        self._retained = 0
        self._linked: dict[str, tuple[JSON, SummaryStore]] = {}

    def summarise(self, job: Job) -> dict[str, Summary | Crash]:
        """What each rule of the job has to say of the file to others, by code."""
        file = self._files[job.path]
        answers: dict[str, Summary | Crash] = {}
        for code in job.codes:
            try:
                answers[code] = _summary(self._rules[code].summarise(file))
            except (Unparsable, RecursionError):
                answers[code] = Summary(None, None)  # the check says so, where this file is checked
            except Exception as error:  # noqa: BLE001 - the engine's edge: a rule's failure is named, not spread
                answers[code] = _crash(code, job.path, "summarise", error)
        self._keep(file)
        return answers

    def link(self, linked: Mapping[str, Linked]) -> None:
        """Hand over what `check` needs, before its first call."""
        self._linked = {
            code: (json.loads(item.facts), SummaryStore(item.bodies, item.digests)) for code, item in linked.items()
        }

    def check(self, job: Job) -> dict[str, Checked | Crash]:
        """The findings of each rule of the job in the file, by code."""
        file = self._files[job.path]
        answers: dict[str, Checked | Crash] = {}
        for code in job.codes:
            facts, store = self._linked[code]
            summaries = RecordingSummaries(self._table, store, job.path)
            try:
                found = _accepted(code, file, self._rules[code].check(file, facts, summaries))
            except Unparsable as error:
                found = [_unparsable(file, error)]
            except RecursionError:
                found = [_unparsable(file, Unparsable(1, 1, f"it is nested too deeply for {code}"))]
            except Exception as error:  # noqa: BLE001 - as above
                answers[code] = _crash(code, job.path, "check", error)
                continue
            answers[code] = Checked(encode(found), canonical(summaries.reads).decode())
        file.forget()
        return answers

    def _keep(self, file: LintFile) -> None:
        self._retained += len(file.data)
        if self._retained > _RETAINED:
            file.forget()


class Alone:
    """A workbench that is given many jobs, in this very process: what `crew.Crew` is over several."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self.link = bench.link

    def summarise(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, Summary | Crash]]]:
        """As `Workbench.summarise`, job by job."""
        return ((job, self._bench.summarise(job)) for job in jobs)

    def check(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, Checked | Crash]]]:
        """As `Workbench.check`, job by job."""
        return ((job, self._bench.check(job)) for job in jobs)


def encode(findings: Iterable[Finding]) -> str:
    """Findings as JSON, for the cache and for other processes; without the path, which the reader knows."""
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
            ]
            for finding in findings
        ],
        separators=(",", ":"),
    )


def decode(path: str, findings: str) -> list[Finding]:
    """What `encode` made, as findings in the file at `path`."""
    if findings == "[]":
        return []
    return [
        Finding(rule, path, Span(*span), message, tuple(TraceStep(*step) for step in trace))
        for rule, *span, message, trace in json.loads(findings)
    ]


def link(code: str, rule: Rule, bodies: Mapping[str, str]) -> str | Crash:
    """The rule's facts about the whole project as JSON."""
    summaries = {path: json.loads(body) for path, body in bodies.items()}
    try:
        return canonical(rule.link(summaries)).decode()
    except Exception as error:  # noqa: BLE001 - as above
        return _crash(code, "", "link", error)


def wants(code: str, rule: Rule, path: str, data: bytes) -> bool | Crash:
    """Whether the rule needs to read the file."""
    try:
        return bool(rule.wants(data))
    except Exception as error:  # noqa: BLE001 - as above
        return _crash(code, path, "wants", error)


def _summary(value: JSON) -> Summary:
    if value is None:
        return Summary(None, None)
    body = canonical(value)
    return Summary(body.decode(), digest(body))


def _accepted(code: str, file: LintFile, findings: Iterable[Finding]) -> Sequence[Finding]:
    kept: dict[tuple[Span, str], Finding] = {}
    for finding in findings:
        if finding.rule != code or finding.path != file.relative:
            raise ValueError(f"it reported {finding.rule} in {finding.path}: a rule speaks for itself and its file")
        span = finding.span
        if span.end_line - span.line >= LONGEST:
            last = span.line + LONGEST - 1
            finding = replace(finding, span=Span(span.line, span.column, last, len(file.line(last)) + 1))  # noqa: PLW2901
        kept.setdefault((finding.span, finding.message), finding)
    return list(kept.values())


def _unparsable(file: LintFile, error: Unparsable) -> Finding:
    try:
        end = max(len(file.line(error.line)) + 1, error.column)
    except Unparsable:
        end = error.column
    return Finding(
        "PP900", file.relative, Span(error.line, error.column, error.line, end), f"cannot be read as Python: {error}"
    )


def _crash(code: str, path: str, stage: str, error: Exception) -> Crash:
    return Crash(code, path, stage, f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))
