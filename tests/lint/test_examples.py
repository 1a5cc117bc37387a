"""Every rule's own VALID and INVALID examples hold."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from plugport.lint_rules.engine.model import Example
from plugport.lint_rules.engine.registry import KnownRule, load_registry
from plugport.lint_rules.engine.run import Request, lint


def _cases(kind: str) -> list:
    cases = []
    for rule in load_registry().rules.values():
        try:
            _, module = rule.load()
        except ImportError:
            continue  # the last test says so
        for number, example in enumerate(getattr(module, kind)):
            full = example if isinstance(example, Example) else Example(textwrap.dedent(example))
            cases.append(pytest.param(rule, full, id=f"{rule.code}-{number}"))
    return cases


def _findings(rule: KnownRule, example: Example, folder: Path) -> list:
    files = {**example.files, example.path: example.code, "pyproject.toml": _toml(example)}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    report = lint(Request(cache=False, select=(rule.code,), working_directory=folder))
    assert not report.failed, (report.crashes, report.problems)
    return [finding for finding in report.findings if finding.path == example.path]


def _toml(example: Example) -> str:
    tomli_w = pytest.importorskip("tomli_w")
    return tomli_w.dumps({"tool": {"plugport": {"lint": dict(example.config)}}})


@pytest.mark.parametrize(("rule", "example"), _cases("INVALID"))
def test_an_invalid_example_is_found_at_its_lines(rule, example, tmp_path):
    found = _findings(rule, example, tmp_path)
    assert found
    if example.lines:
        assert tuple(finding.span.line for finding in found) == example.lines


@pytest.mark.parametrize(("rule", "example"), _cases("VALID"))
def test_a_valid_example_is_no_finding(rule, example, tmp_path):
    assert _findings(rule, example, tmp_path) == []


def test_every_rule_explains_itself():
    for rule in load_registry().rules.values():
        _, module = rule.load()
        assert rule.code == module.CODE
        assert module.message.strip()
        assert module.reason.strip()
        assert module.VALID
        assert module.INVALID
