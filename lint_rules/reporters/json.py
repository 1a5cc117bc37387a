"""`--format json`: one list on standard output, `[]` exactly when the exit is 0."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from ..engine.contract import TraceStep
from ..engine.lint import Report
from .paths import DisplayPaths


def render(report: Report, display: DisplayPaths) -> str:
    """Return the findings, and an item for each failure, so that a list that may not be complete is never empty."""
    items = [
        item(
            finding.rule,
            display(finding.path),
            finding.message,
            trace=_trace(finding.trace, display),
            **asdict(finding.span),
        )
        for finding in report.findings
    ]
    items += [item(failure.rule, display(failure.path), failure.message) for failure in report.failures]
    return as_list(items)


def as_list(items: list[dict[str, object]]) -> str:
    """Return the one list that is printed."""
    return json.dumps(items, ensure_ascii=False, indent=1) if items else "[]"


def item(
    rule: str,
    path: str,
    message: str,
    line: int = 1,
    column: int = 1,
    end_line: int | None = None,
    end_column: int = 1,
    trace: Sequence[object] = (),
) -> dict[str, object]:
    """Return an item of the list: a finding, or a failure, which has no place of its own."""
    return {
        "rule": rule,
        "path": path,
        "line": line,
        "column": column,
        "end_line": line if end_line is None else end_line,
        "end_column": end_column,
        "message": message,
        "trace": list(trace),
    }


def _trace(steps: Sequence[TraceStep], display: DisplayPaths) -> list[object]:
    return [{"path": display(step.path), "line": step.line, "message": step.message} for step in steps]
