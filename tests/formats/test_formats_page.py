"""docs/formats.md names every format and every finding's rule, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from support.source_tree import ROOT

from plugport.core.dispatcher import FORMATS

PAGE = (ROOT / "docs/formats.md").read_text("utf-8")
_WRITERS = {"error", "warn", "note", "_error", "Fault", "_Invalid", "ContentFinding", "_once"}
_RULE = re.compile(r"[a-z]+(?:-[a-z]+)*")
_SAME_FRONT_MATTER = ("invalid", "depth", "cycle", "size", "text", "key", "key-twice", "left")
_INDIRECT = {"json-invalid", "name-differs", "name-changed"}
"""Rules that a variable or a default holds."""
_CALCULATED = {
    "front-matter-{}": [f"front-matter-{fault}" for fault in _SAME_FRONT_MATTER],
    "{}-missing": ["name-missing", "version-missing"],
    "subagent-{}": ["subagent-name", "subagent-description"],
}


def _rules_of(path: Path) -> Iterator[str]:
    """Yield the rules that a module writes: the first text of each call that makes a finding or a fault."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        name = getattr(getattr(node, "func", None), "attr", getattr(getattr(node, "func", None), "id", None))
        if isinstance(node, ast.Call) and name in _WRITERS:
            for argument in node.args:
                text = _text(argument)
                if text is not None and (_RULE.fullmatch(text) or text in _CALCULATED):
                    yield from _CALCULATED.get(text, [text])
                    break


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values)
    return None


def test_every_rule_is_on_the_page_and_no_other():
    modules = [*(ROOT / "builtin_backends/formats").glob("*.py"), ROOT / "core/pipeline/read.py"]
    rules = {rule for module in modules for rule in _rules_of(module)} - {"yaml-left"} | _INDIRECT
    table = PAGE.partition("## Findings")[2].partition("Layouts add")[0]
    listed = {
        rule for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for rule in re.findall(r"`([^`]+)`", row)
    }
    assert sorted(rules - listed) == []
    assert sorted(listed - rules) == []
    assert len(rules) > 60


def test_every_format_has_a_row_in_both_tables_in_the_order_in_which_they_are_asked():
    rows = re.findall(r"^\| `([a-z-]+)` \|", PAGE.partition("## Findings")[0], re.MULTILINE)
    assert rows == [*FORMATS, *FORMATS]
