"""Every rule's own VALID and INVALID examples hold."""

from __future__ import annotations

import contextlib
from typing import Literal

import pytest

from plugport.lint_rules.engine.installed_rules import load_rules
from plugport.lint_rules.testing import examples, findings


def _cases(kind: Literal["VALID", "INVALID"]) -> list:
    cases = []
    for code in load_rules().rules:
        with contextlib.suppress(ImportError):  # the last test says so
            cases += [
                pytest.param(code, example, id=f"{code}-{number}")
                for number, example in enumerate(examples(code, kind))
            ]
    return cases


@pytest.mark.parametrize(("code", "example"), _cases("INVALID"))
def test_an_invalid_example_is_found_at_its_lines(code, example, tmp_path):
    reported = findings(code, example, tmp_path)
    assert reported
    if example.lines:
        assert tuple(finding.span.line for finding in reported) == example.lines


@pytest.mark.parametrize(("code", "example"), _cases("VALID"))
def test_a_valid_example_is_no_finding(code, example, tmp_path):
    assert findings(code, example, tmp_path) == []


def test_every_rule_explains_itself():
    for rule in load_rules().rules.values():
        _, module = rule.load()
        assert rule.code == module.CODE
        assert module.message.strip()
        assert module.reason.strip()
        assert module.VALID
        assert module.INVALID
