"""`--format text`: for a person at a terminal. Each finding with its code, its trace, and where to read more."""

from __future__ import annotations

from collections.abc import Iterator

from ..engine.contract import Finding
from ..engine.errors import Unparsable
from ..engine.lint import Report
from .colours import Colours
from .paths import DisplayPaths

_WIDEST = 160
"""Characters of a line of code that are display."""


def render(report: Report, display: DisplayPaths, colours: Colours | None = None) -> str:
    """Return all findings and a summary in one line; without colours, unless some are passed."""
    paint = colours or Colours()
    blocks = ["\n".join(_finding(report, finding, display, paint)) for finding in report.findings]
    count = len(report.findings)
    summary = "no findings" if count == 0 else "1 finding" if count == 1 else f"{count} findings"
    summary = f"{summary} in {report.checked} file{'' if report.checked == 1 else 's'}"
    if report.suppressed:
        summary += f", {report.suppressed} suppressed"
    if report.baselined:
        summary += f", {report.baselined} in the baseline"
    return "\n\n".join([*blocks, paint("red" if count else "green", summary)])


def _finding(report: Report, finding: Finding, display: DisplayPaths, paint: Colours) -> Iterator[str]:
    span = finding.span
    place = paint("bold", f"{display(finding.path)}:{span.line}:{span.column}")
    yield f"{place}: {paint('red', finding.rule)} {finding.message}"
    yield from _frame(report, finding, paint)
    for step in finding.trace:
        yield f"  by way of {paint('cyan', f'{display(step.path)}:{step.line}')}: {step.message}"
    if finding.fix is not None:
        flags = "--fix" if finding.fix.is_safe else "--fix --unsafe"
        yield f"  {paint('green', 'fix')}: {finding.fix.title} (plugport lint {flags})"
    yield paint("dim", f"  help: plugport lint --explain {finding.rule}")


def _frame(report: Report, finding: Finding, paint: Colours) -> Iterator[str]:
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
        yield paint("dim", f"  {number:>{width}} |") + f" {visible}".rstrip()
        if start < _WIDEST:
            carets = "^" * max(min(end, _WIDEST) - start, 1)
            yield paint("dim", f"  {'':>{width}} |") + f" {' ' * start}{paint('red', carets)}"
