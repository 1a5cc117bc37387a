"""`--format sarif`: SARIF 2.1.0, with each trace as a code flow, the fixes, the rules' pages, and a fingerprint that
survives moved lines."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from importlib.metadata import version

from ..engine.contract import Finding, Fix, Span
from ..engine.fingerprints import fingerprints
from ..engine.installed_rules import InstalledRule
from ..engine.lint import Report
from .addresses import PROJECT, Artifacts, page_of
from .engine_rules import ENGINE_RULES
from .paths import DisplayPaths

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_Object = dict[str, object]


def render(report: Report, display: DisplayPaths) -> str:
    """Return a log with one run. Failures are the tool's notifications, and make the run unsuccessful."""
    names = fingerprints(report.findings, report.files)
    artifacts = Artifacts(report.configuration.root, display.working_directory)
    engine = sorted({finding.rule for finding in report.findings} & ENGINE_RULES.keys())
    run: _Object = {
        "tool": {
            "driver": {
                "name": "plugport lint",
                "version": version("plugport"),
                "informationUri": PROJECT,
                "rules": [_rule(rule) for rule in report.rules] + [_engine_rule(code) for code in engine],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": artifacts.bases(),
        "results": [_result(finding, name, artifacts) for finding, name in zip(report.findings, names, strict=True)],
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
    with contextlib.suppress(Exception):  # the notifications name a rule that is lost
        descriptor |= {
            "shortDescription": {"text": str(rule.stated("message"))},
            "fullDescription": {"text": str(rule.stated("reason"))},
        }
        if advice := rule.stated("how_to_fix", ""):
            descriptor["help"] = {"text": str(advice)}
    address = page_of(rule.code, rule.target)
    return descriptor if address is None else {**descriptor, "helpUri": address}


def _engine_rule(code: str) -> _Object:
    rule = ENGINE_RULES[code]
    texts = {"shortDescription": {"text": rule.message}, "fullDescription": {"text": rule.reason}}
    return {"id": code, **texts, "helpUri": page_of(code)}


def _result(finding: Finding, fingerprint: str, artifacts: Artifacts) -> _Object:
    region = _region(finding.span)
    file = artifacts(finding.path)
    result: _Object = {
        "ruleId": finding.rule,
        "level": "error",
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": {"artifactLocation": file, "region": region}}],
        "partialFingerprints": {"plugport/v1": fingerprint},
    }
    if finding.trace:
        steps = [(artifacts(step.path), {"startLine": step.line}, step.message) for step in finding.trace]
        flow = [_step(*step) for step in (*steps, (file, region, finding.message))]
        result["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
    if finding.fix is not None:
        result["fixes"] = [_fix(finding.fix, file)]
    return result


def _step(file: _Object, region: Mapping[str, object], message: str) -> _Object:
    place = {"artifactLocation": file, "region": region}
    return {"location": {"physicalLocation": place, "message": {"text": message}}}


def _fix(fix: Fix, file: _Object) -> _Object:
    title = fix.title if fix.is_safe else f"{fix.title} (unsafe: read what it changes)"
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in fix.edits
    ]
    changes = [{"artifactLocation": file, "replacements": replacements}]
    return {"description": {"text": title}, "artifactChanges": changes}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
