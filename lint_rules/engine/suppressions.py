"""Applies suppressions: takes findings away, and finds the suppressions that are wrong (PP000)."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .contract import Finding, Fix, Span, TextEdit
from .directives import Suppression, may_have_directives, read_directives
from .errors import Unparsable
from .source_file import SourceFile


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of rules: those that ran, and all that there are. If a rule is lost, it may have any code."""

    ran: Collection[str]
    known: Collection[str]
    is_lost: bool

    def is_known(self, code: str) -> bool:
        """Return whether a rule may have the code."""
        return self.is_lost or code in self.known


def directives_of(file: SourceFile) -> list[Suppression]:
    """Return the directives of a file; none for one whose text cannot be read."""
    if not may_have_directives(file.data):
        return []
    try:
        return read_directives(file.text)
    except Unparsable:
        return []


def apply(
    file: SourceFile, findings: Iterable[Finding], directives: Collection[Suppression], codes: Codes
) -> tuple[list[Finding], int]:
    """Return the findings that no directive with a reason covers, with a PP000 for each directive that is wrong, and
    how many findings were suppressed. A code counts as unused only if its rule ran, or if no rule has it."""
    used: set[tuple[int, str]] = set()
    kept: list[Finding] = []
    suppressed = 0
    for finding in findings:
        covering = [
            index
            for index, directive in enumerate(directives)
            if directive.reason
            and finding.rule in directive.codes
            and finding.span.line <= directive.span.line <= finding.span.end_line
        ]
        used.update((index, finding.rule) for index in covering)
        if covering:
            suppressed += 1
        else:
            kept.append(finding)
    for index, directive in enumerate(directives):
        covered = {code for used_index, code in used if used_index == index}
        if complaint := _complaint(file, directive, covered, codes):
            message, fix = complaint
            kept.append(Finding("PP000", file.relative, directive.span, message, fix=fix))
    return kept, suppressed


def _complaint(
    file: SourceFile, directive: Suppression, covered: set[str], codes: Codes
) -> tuple[str, Fix | None] | None:
    if directive.problem:
        return directive.problem, None
    if not directive.codes:
        return "this suppression names no rule: write `# plugport: allow[PP001] reason`", None
    relevant = [code for code in directive.codes if code in codes.ran or not codes.is_known(code)]
    if not directive.reason:
        names = ", ".join(directive.codes)
        return (f"this suppression of {names} gives no reason, so it suppresses nothing", None) if relevant else None
    if strange := [code for code in relevant if not codes.is_known(code)]:
        return f"this suppression names {', '.join(strange)}, but no rule has this code{_meant(strange, codes)}", None
    if idle := [code for code in relevant if code not in covered]:
        return f"this suppression of {', '.join(idle)} suppresses nothing: remove it", _without(file, directive, idle)
    return None


def _meant(strange: Iterable[str], codes: Codes) -> str:
    near = [match for code in strange for match in difflib.get_close_matches(code, codes.known, n=1)]
    return f"; did you mean {', '.join(near)}?" if near else ""


def _without(file: SourceFile, directive: Suppression, idle: Collection[str]) -> Fix:
    """Take the codes out of the directive, or the whole directive if no code is left: with its line, if that holds
    nothing else, and never with another tool's comment behind it."""
    kept = [code for code in directive.codes if code not in idle]
    span, line = directive.span, file.line(directive.span.line)
    if kept:
        text = f"# plugport: allow[{','.join(kept)}] {directive.reason}"
        return Fix(f"remove {', '.join(idle)} from the suppression", (TextEdit(span, text),), is_safe=True)
    before, after = line[: span.column - 1], line[span.end_column - 1 :].lstrip()
    if after:
        place, text = Span(span.line, span.column, span.line, len(line) + 1), after
    elif before.strip():
        place, text = Span(span.line, len(before.rstrip()) + 1, span.line, len(line) + 1), ""
    else:
        place, text = Span(span.line, 1, span.line + 1, 1), ""
    return Fix("remove the suppression", (TextEdit(place, text),), is_safe=True)
