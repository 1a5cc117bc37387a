"""`--format github`: workflow commands, which GitHub Actions shows beside the changed lines."""

from __future__ import annotations

from ..engine.lint import Report
from .paths import DisplayPaths


def render(report: Report, display: DisplayPaths) -> str:
    """Return one annotation for each finding, and for each failure, since it fails the job."""
    lines = []
    for finding in report.findings:
        span = finding.span
        place = {"file": display(finding.path), "line": span.line, "endLine": span.end_line}
        if span.line == span.end_line:  # columns are refused on an annotation of several lines
            place |= {"col": span.column, "endColumn": span.end_column}
        trace = "".join(f"\n{display(step.path)}:{step.line}: {step.message}" for step in finding.trace)
        lines.append(_command({**place, "title": f"plugport {finding.rule}"}, finding.message + trace))
    lines += [
        _command({"file": display(crash.path), "title": f"plugport {crash.rule} crashed"}, crash.message)
        for crash in report.crashes
    ]
    lines += [_command({"title": "plugport"}, problem) for problem in report.problems]
    return "\n".join(lines) if lines else f"plugport lint: no findings in {report.checked} files"


def _command(properties: dict[str, object], message: str) -> str:
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::error {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
