"""`--format sarif`: SARIF 2.1.0, with each finding's way as a code flow and a fingerprint that outlives moves."""

from __future__ import annotations

import importlib
import json
from importlib.metadata import version
from typing import TYPE_CHECKING

from ..engine.fingerprints import fingerprints
from .json import failure

if TYPE_CHECKING:
    from ..engine.contract import Finding
    from ..engine.installed_rules import KnownRule
    from ..engine.lint import Report
    from .paths import Shown

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_Object = dict[str, object]


def render(report: Report, shown: Shown) -> str:
    """One run; what crashed or was lost stands among the tool's notifications, and makes the run unsuccessful."""
    names = fingerprints(report.findings, report.files)
    failures = [
        failure(crash.rule, shown(crash.path), f"{crash.rule} crashed in {crash.stage}: {crash.reason}")
        for crash in report.crashes
    ] + [failure("plugport", shown(""), problem) for problem in report.problems]
    run: _Object = {
        "tool": {
            "driver": {
                "name": "plugport lint",
                "version": version("plugport"),
                "informationUri": "https://pypi.org/project/plugport/",
                "rules": [_rule(one) for one in report.rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, name, shown) for one, name in zip(report.findings, names, strict=True)],
        "invocations": [
            {
                "executionSuccessful": not report.failed,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": str(one["message"])}} for one in failures
                ],
            }
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1)


def _rule(rule: KnownRule) -> _Object:
    told: _Object = {"id": rule.code}
    try:
        module = importlib.import_module(rule.target.partition(":")[0])
        told |= {
            "shortDescription": {"text": str(module.message)},
            "fullDescription": {"text": str(module.reason)},
        }
    except (ImportError, AttributeError):
        pass  # a rule that is lost is named among the notifications
    return told


def _result(finding: Finding, fingerprint: str, shown: Shown) -> _Object:
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
        "locations": [{"physicalLocation": _place(shown(finding.path), region)}],
        "partialFingerprints": {"plugport/v1": fingerprint},
    }
    if finding.trace:
        steps = [(shown(step.path), {"startLine": step.line}, step.message) for step in finding.trace]
        steps.append((shown(finding.path), region, finding.message))
        flow = [
            {"location": {"physicalLocation": _place(path, where), "message": {"text": text}}}
            for path, where, text in steps
        ]
        result["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
    return result


def _place(path: str, region: object) -> _Object:
    return {"artifactLocation": {"uri": path}, "region": region}
