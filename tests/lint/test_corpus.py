"""The gates on the labelled corpus: every line that ends in `# BAD` is found, and no other line is."""

from __future__ import annotations

import pytest
from support.corpus import RULES, Case, cases, judged

CASES = {rule: cases(rule) for rule in RULES}
RECALL = 0.95
GOOD_CASES_PER_FALSE_ALARM = 30


def _parameters() -> list:
    return [
        pytest.param(
            case,
            id=case.id,
            marks=[pytest.mark.xfail(reason=case.missed, strict=True, raises=AssertionError)] if case.missed else [],
        )
        for rule_cases in CASES.values()
        for case in rule_cases
    ]


@pytest.mark.parametrize("case", _parameters())
def test_a_case_is_judged_line_by_line(case: Case) -> None:
    assert judged(case) == case.bad


@pytest.mark.parametrize("rule", RULES)
def test_no_two_cases_of_a_rule_have_one_name(rule: str) -> None:
    ids = [case.id for case in CASES[rule]]
    assert sorted(set(ids)) == sorted(ids)


@pytest.mark.parametrize("rule", ["PP001", "PP002"])
def test_nearly_everything_is_found_and_nearly_nothing_is_a_false_alarm(rule: str) -> None:
    bad = [(case, place) for case in CASES[rule] for place in case.bad]
    missed = [f"{case.id} {place}" for case, place in bad if place not in judged(case)]
    good = [case for case in CASES[rule] if not case.bad]
    alarms = [case.id for case in good if judged(case)]
    assert len(bad) - len(missed) >= RECALL * len(bad), missed
    assert len(alarms) * GOOD_CASES_PER_FALSE_ALARM <= len(good), alarms
