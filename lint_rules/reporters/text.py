"""`--format text`: for a person at a terminal. Each finding with its line of code, its way, and where to read on."""

from __future__ import annotations

from collections.abc import Iterator

from ..engine.contract import Finding
from ..engine.errors import Unparsable
from ..engine.lint import Report
from .paths import Shown

_WIDEST = 160
"""Characters of a line of code that are shown."""


def render(report: Report, shown: Shown) -> str:
    """All findings and one line of summary."""
    blocks = ["\n".join(_finding(report, finding, shown)) for finding in report.findings]
    count = len(report.findings)
    summary = "no findings" if count == 0 else "1 finding" if count == 1 else f"{count} findings"
    summary = f"{summary} in {report.checked} file{'' if report.checked == 1 else 's'}"
    if report.suppressed:
        summary += f", {report.suppressed} suppressed"
    if report.baselined:
        summary += f", {report.baselined} in the baseline"
    return "\n\n".join([*blocks, summary])


def _finding(report: Report, finding: Finding, shown: Shown) -> Iterator[str]:
    span = finding.span
    yield f"{shown(finding.path)}:{span.line}:{span.column}: {finding.rule} {finding.message}"
    yield from _frame(report, finding)
    for step in finding.trace:
        yield f"  by way of {shown(step.path)}:{step.line}: {step.message}"
    yield f"  help: plugport lint --explain {finding.rule}"


def _frame(report: Report, finding: Finding) -> Iterator[str]:
    span = finding.span
    width = len(str(span.end_line))
    for number in range(span.line, span.end_line + 1):
        try:
            code = report.files[finding.path].line(number)
        except Unparsable:
            return
        start = span.column - 1 if number == span.line else len(code) - len(code.lstrip())
        end = span.end_column - 1 if number == span.end_line else len(code)
        visible = "".join(character if character.isprintable() else " " for character in code[:_WIDEST])
        yield f"  {number:>{width}} | {visible}".rstrip()
        if start < _WIDEST:
            yield f"  {'':>{width}} | {' ' * start}{'^' * max(min(end, _WIDEST) - start, 1)}"
