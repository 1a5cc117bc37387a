"""`--format sarif`: SARIF 2.1.0, with each trace as a code flow and a fingerprint that survives moved lines."""

from __future__ import annotations

import contextlib
import json
from importlib.metadata import version

from ..engine.contract import Finding
from ..engine.fingerprints import fingerprints
from ..engine.installed_rules import InstalledRule
from ..engine.lint import Report
from .paths import DisplayPaths

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_Object = dict[str, object]


def render(report: Report, display: DisplayPaths) -> str:
    """Return a log with one run. Failures are the tool's notifications, and make the run unsuccessful."""
    names = fingerprints(report.findings, report.files)
    run: _Object = {
        "tool": {
            "driver": {
                "name": "plugport lint",
                "version": version("plugport"),
                "informationUri": "https://pypi.org/project/plugport/",
                "rules": [_rule(rule) for rule in report.rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, name, display) for finding, name in zip(report.findings, names, strict=True)],
        "invocations": [
            {
                "executionSuccessful": not report.failures,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": failure.message}} for failure in report.failures
                ],
            }
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1)


def _rule(rule: InstalledRule) -> _Object:
    descriptor: _Object = {"id": rule.code}
    with contextlib.suppress(ImportError, AttributeError):  # the notifications name a rule that is lost
        descriptor |= {
            "shortDescription": {"text": str(rule.stated("message"))},
            "fullDescription": {"text": str(rule.stated("reason"))},
        }
    return descriptor


def _result(finding: Finding, fingerprint: str, display: DisplayPaths) -> _Object:
    span = finding.span
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    result: _Object = {
        "ruleId": finding.rule,
        "level": "error",
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": _place(display(finding.path), region)}],
        "partialFingerprints": {"plugport/v1": fingerprint},
    }
    if finding.trace:
        steps = [(display(step.path), {"startLine": step.line}, step.message) for step in finding.trace]
        steps.append((display(finding.path), region, finding.message))
        flow = [
            {"location": {"physicalLocation": _place(path, where), "message": {"text": text}}}
            for path, where, text in steps
        ]
        result["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
    return result


def _place(path: str, region: object) -> _Object:
    return {"artifactLocation": {"uri": path}, "region": region}
