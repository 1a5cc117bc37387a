"""`--format json`: one list on standard output, `[]` exactly when the exit is 0."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.lint import Report
    from .paths import Shown


def render(report: Report, shown: Shown) -> str:
    """The findings, and an item for each crash, so that a list that may not be all is never empty."""
    items: list[dict[str, object]] = [
        {
            "rule": finding.rule,
            "path": shown(finding.path),
            "line": finding.span.line,
            "column": finding.span.column,
            "end_line": finding.span.end_line,
            "end_column": finding.span.end_column,
            "message": finding.message,
            "trace": [
                {"path": shown(step.path), "line": step.line, "message": step.message} for step in finding.trace
            ],
        }
        for finding in report.findings
    ]
    items += [
        failure(crash.rule, shown(crash.path), f"{crash.rule} crashed in {crash.stage}: {crash.reason}")
        for crash in report.crashes
    ]
    items += [failure("plugport", shown(""), problem) for problem in report.problems]
    return as_list(items)


def as_list(items: list[dict[str, object]]) -> str:
    """The one list that is printed."""
    return json.dumps(items, ensure_ascii=False, indent=1) if items else "[]"


def failure(rule: str, path: str, message: str) -> dict[str, object]:
    """An item for what is no finding: a crash, a lost rule, a wrong configuration."""
    place = {"line": 1, "column": 1, "end_line": 1, "end_column": 1}
    return {"rule": rule, "path": path, **place, "message": message, "trace": []}
