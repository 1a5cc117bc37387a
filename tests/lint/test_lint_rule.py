"""The base of a rule: a LibCST visitor that the engine runs, and that runs alone on a LibCST module."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from support.rule_sites import rule_site

from plugport.lint_rules import LintRule, SourceFile
from plugport.lint_rules.engine.tree import every_node, walk

ROOT = Path(__file__).parents[2]
OWN_FILES = sorted((ROOT / "lint_rules").rglob("*.py"))[::4] + sorted((ROOT / "core").rglob("*.py"))[::12]
RULE = """\
from __future__ import annotations

import libcst as cst

from plugport.lint_rules import LintRule


class NoPrint(LintRule):
    code = "XY002"
    message = "print is for programs, not for services"
    reason = "Use the log."
    VALID = ["log.info(1)"]
    INVALID = ["print(1)"]

    def visit_Call(self, node: cst.Call) -> None:
        if isinstance(node.func, cst.Name) and node.func.value == "print":
            self.report(node)
        if self.qualified(node.func) == "subprocess.run":
            self.report(node.func, "run it elsewhere")
"""
REGISTRATION = """\
from plugport.hookspecs import RuleDescriptor, hookimpl


@hookimpl
def lint_rules():
    return [RuleDescriptor("XY002", "1", "no_print.rule:NoPrint")]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH in which the rule is installed."""
    return rule_site(tmp_path, "no-print", {"__init__.py": REGISTRATION, "rule.py": RULE})


def test_the_engine_runs_it_and_explains_it(project, site):
    code = "import subprocess as sp\n\n\ndef f():\n    print(sp.run(['x']))\n"
    made = project({"pyproject.toml": "[tool.plugport.lint]\n", "a.py": code})
    environment = {"PYTHONPATH": str(site)}
    done = made.json("--select", "XY002", environment=environment)
    assert [(item["line"], item["column"], item["end_column"]) for item in done.items] == [(5, 5, 25), (5, 11, 17)]
    assert [item["message"] for item in done.items] == ["print is for programs, not for services", "run it elsewhere"]
    assert made.json("--select", "XY002", environment=environment).items == done.items  # from the cache
    explained = made.lint("--explain", "XY002", environment=environment).stdout
    assert "print is for programs" in explained
    assert "Use the log." in explained


class Collector(cst.CSTVisitor):
    """Keeps the order of what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def visit_Call(self, node: cst.Call) -> bool:
        self.seen.append(f"call {cst.Module([]).code_for_node(node.func)}")
        return "skip" not in self.seen[-1]

    def leave_Call(self, original_node: cst.Call) -> None:
        self.seen.append("left")

    def visit_Name(self, node: cst.Name) -> None:
        self.seen.append(node.value)


class WithComments(Collector):
    """One that needs the nodes of the layout."""

    def visit_Comment(self, node: cst.Comment) -> None:
        self.seen.append(node.value)


@pytest.mark.parametrize("kind", [Collector, WithComments])
def test_the_quick_walk_shows_what_libcst_s_own_visit_shows(kind):
    tree = cst.parse_module("a(b, c(d))  # e\nskip(f)\nif g:\n    h = i.j[k] if l else (m for n in o)\n")
    ours, theirs = kind(), kind()
    walk(tree, ours)
    tree.visit(theirs)
    assert sorted(ours.seen) == sorted(theirs.seen)
    assert ours.seen[:7] == theirs.seen[:7]
    assert ("# e" in ours.seen) is (kind is WithComments)


@pytest.mark.parametrize("path", OWN_FILES, ids=lambda path: path.name)
def test_positions_are_those_of_libcst(path):
    file = SourceFile(path, path.name, None, path.read_bytes())
    expected = MetadataWrapper(file.tree(), unsafe_skip_copy=True).resolve(PositionProvider)
    for node in every_node(file.tree())[1:]:
        span, place = file.span(node), expected[node]
        assert (span.line, span.column - 1) == (place.start.line, place.start.column)
        assert (span.end_line, span.end_column - 1) == (place.end.line, place.end.column)


def test_positions_count_code_points_whatever_ends_the_lines():
    text = "# ü\r\nx = '𝄞' + f(1)\r\ry = (\n    g(2)\n)\n"
    file = SourceFile(Path("a.py"), "a.py", None, text.encode())
    calls = [file.span(node) for node in every_node(file.tree()) if isinstance(node, cst.Call)]
    assert [(span.line, span.column, span.end_column) for span in calls] == [(2, 11, 15), (5, 5, 9)]
    with pytest.raises(LookupError, match="no node of"):
        file.span(cst.Name("z"))


def test_a_visitor_of_one_file_leaves_the_rule_as_it_was():
    class Names(LintRule):
        code = "XY003"

        def visit_Name(self, node: cst.Name) -> None:
            self.report(node, node.value)

    rule = Names({})
    file = SourceFile(Path("a.py"), "a.py", None, b"a = b\n")
    visitor = rule.opened(file, None, None)
    file.tree().visit(visitor)
    assert [finding.message for finding in visitor.findings] == ["a", "b"]
    assert rule.findings == []
