"""Every rule judges LibCST trees: bytes and `ast` only choose what is worth parsing, and say nothing by themselves."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import libcst as cst
import pytest
from support.corpus import RULES, Case, cases, judged, places_found

from plugport.lint_rules import LintRule, SourceFile
from plugport.lint_rules.analysis import waiting_glance
from plugport.lint_rules.engine.contract import Example
from plugport.lint_rules.engine.errors import Unparsable
from plugport.lint_rules.engine.installed_rules import load_rules
from plugport.lint_rules.engine.lint import Request, lint
from plugport.lint_rules.engine.project import ModuleTable, Summaries, SummaryStore

CASES = {rule: cases(rule) for rule in RULES}


class ReadsAll(waiting_glance.Glance):
    """A look at a file that leaves nothing out."""

    @property
    def may_be_called(self) -> bool:
        return True

    def may_block(self, summaries: Summaries) -> bool:
        return True


ALL = ReadsAll(frozenset(), frozenset(), frozenset(), frozenset(), True, True, True, True, True, "")


@pytest.fixture
def unfiltered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is read, whatever its bytes and its `ast` tree say."""
    for installed in load_rules().rules.values():
        rule, _ = installed.load()
        monkeypatch.setattr(rule, "wants", lambda self, data: True)
        monkeypatch.setattr(rule, "reads", lambda self, file, linked, summaries: True)
    monkeypatch.setattr(waiting_glance.Glance, "of", classmethod(lambda cls, file: ALL))


def differences(rule: str) -> list[tuple[str, Any, Any]]:
    """The cases of a rule that are judged in another way now."""
    return [(case.id, judged(case), now) for case in CASES[rule] if (now := places_found(case)) != judged(case)]


@pytest.mark.parametrize("rule", RULES)
def test_without_any_prefilter_the_findings_are_the_same(rule, request):
    for case in CASES[rule]:
        judged(case)
    request.getfixturevalue("unfiltered")
    assert differences(rule) == []


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_judges_by_ast(rule, request, monkeypatch):
    for case in CASES[rule]:
        judged(case)
    request.getfixturevalue("unfiltered")

    def refuse(*args: object, **kwargs: object) -> None:
        raise Unparsable(1, 1, "no rule may ask for it")

    with monkeypatch.context() as refusing:  # pytest itself reads `ast` trees, to tell a failure
        for name in ("parse", "walk"):
            refusing.setattr(ast, name, refuse)
        now = differences(rule)
    assert now == []


@pytest.mark.parametrize("rule", RULES)
def test_nothing_is_reported_and_nothing_passes_if_libcst_cannot_parse(rule, tmp_path, monkeypatch):
    def refuse(*args: object, **kwargs: object) -> None:
        raise cst.ParserSyntaxError("broken", lines=["x"], raw_line=1, raw_column=0)

    case = next(case for case in CASES[rule] if case.bad and not case.missed)
    monkeypatch.setattr(cst, "parse_module", refuse)
    for path, text in {**dict(case.files), "pyproject.toml": "[tool.plugport.lint]\n" + _table(case)}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    report = lint(Request(cache=False, select=(rule,), working_directory=tmp_path), load_rules())
    assert {finding.rule for finding in report.findings} == {"PP900"}


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_s_visitor_runs_alone_on_a_libcst_module(rule):
    made, _ = load_rules().rules[rule].load()
    for example in _examples(made, rule):
        instance: LintRule = made(dict(example.config))  # type: ignore[assignment]
        file = SourceFile(Path(example.path), example.path, "example", example.code.encode())
        bodies = {} if (summary := instance.summarise(file)) is None else {example.path: summary}
        linked = instance.link(bodies)
        store = SummaryStore({}, {})
        visitor = instance.opened(
            file, linked, Summaries(ModuleTable([(example.path, "example")]), store, file.relative)
        )
        file.tree().visit(visitor)
        lines = sorted({finding.span.line for finding in visitor.findings})
        assert lines == sorted(set(example.lines)) or (lines and not example.lines)


def _examples(rule: Any, code: str) -> list[Example]:
    stated = load_rules().rules[code].stated("INVALID")
    examples = [item if isinstance(item, Example) else Example(item) for item in stated]
    return [example for example in examples if not example.files]


def _table(case: Case) -> str:
    return case.table.replace("[[", "[[tool.plugport.lint.") if "[[" in case.table else case.table
