"""Modules and functions are short, and names say what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.house_rules import gerunds, long_functions, long_modules, nameless_locals
from support.source_tree import ROOT, files_of_tests, product_files

Rule = Callable[[Path], list[str]]
LONG_FUNCTIONS = {
    "core/store/migrations/versions/0001_the_first_tables.py": "a migration is one list of tables and columns",
}
"""The modules with functions that may be longer, with the reason."""
GERUNDS = {
    "builtin_backends/docker/running.py": "others rely on the path: it is in the configuration of the gates",
    "hookspecs/loading.py": "an alias for one minor version",
    "hookspecs/providers/calling.py": "DESIGN.md names it",
    "hookspecs/values/finding.py": "a finding is a noun of the field",
    "lint_rules/engine/packaging.py": "the field's word for what pyproject.toml describes",
    "lint_rules/testing.py": "the field's word for what helps the authors of tests",
}
"""The modules that may be named by a form in -ing, with the reason."""


def against(rule: Rule, files: list[Path], root: Path = ROOT) -> dict[str, list[str]]:
    """Return what a rule says of each file that breaks it."""
    return {path.relative_to(root).as_posix(): said for path in files if (said := rule(path))}


@pytest.mark.parametrize(
    ("rule", "excused"),
    [(long_modules, {}), (long_functions, LONG_FUNCTIONS), (gerunds, GERUNDS), (nameless_locals, {})],
)
def test_product_and_tests_keep_the_rule(rule, excused):
    broken = against(rule, [*product_files(), *files_of_tests()])
    assert {name: said for name, said in broken.items() if name not in excused} == {}
    assert [name for name in excused if name not in broken] == []


FUNCTION = "    @decorator\n    async def f():\n" + "        x = 1\n" * 50


@pytest.mark.parametrize(
    ("rule", "name", "text", "said"),
    [
        (long_modules, "a.py", "\n" * 401, ["401 lines"]),
        (long_modules, "a.py", "\n" * 400, []),
        (long_functions, "a.py", f"class A:\n{FUNCTION}", ["f: 51 lines"]),
        (long_functions, "a.py", f"class A:\n{FUNCTION}".replace("        x = 1\n", "", 1), []),
        (gerunds, "tests_of_running.py", "", ["running"]),
        (gerunds, "running_tests.py", "", []),
        (nameless_locals, "a.py", "one = 1", ["line 1: one"]),
        (nameless_locals, "a.py", "found: int = 1", ["line 1: found"]),
        (nameless_locals, "a.py", "class A:\n  found: int = 1", []),
        (nameless_locals, "a.py", "x, (told, *given) = y", ["line 1: given", "line 1: told"]),
        (nameless_locals, "a.py", "if (found := f()): ...", ["line 1: found"]),
        (nameless_locals, "a.py", "for index, one in x: ...", ["line 1: one"]),
        (nameless_locals, "a.py", "[f(one) for one in x]", ["line 1: one"]),
        (nameless_locals, "a.py", "{one: 1 for one in x if one}", ["line 1: one"]),
        (nameless_locals, "a.py", "def f(given): ...", ["line 1: given"]),
        (nameless_locals, "a.py", "def f(*, one=1): ...", ["line 1: one"]),
        (nameless_locals, "a.py", "lambda *one, **told: 1", ["line 1: one", "line 1: told"]),
        (nameless_locals, "a.py", "with f() as given: ...", ["line 1: given"]),
        (nameless_locals, "a.py", "try: ...\nexcept E as one: ...", ["line 2: one"]),
        (nameless_locals, "a.py", "import x as one", ["line 1: one"]),
        (nameless_locals, "a.py", "match x:\n  case [one, *found]: ...", ["line 2: found", "line 2: one"]),
        (nameless_locals, "a.py", "x.one = f(given=found['told'])", []),
    ],
)
def test_the_check_sees_what_breaks_the_rule(tmp_path, rule, name, text, said):
    (tmp_path / name).write_text(text)
    assert against(rule, [tmp_path / name], tmp_path) == ({name: said} if said else {})
