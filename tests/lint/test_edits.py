"""The edits that fixes are made of: each changes what it names, where it stands, and no other character."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libcst as cst
import pytest

from plugport.lint_rules import (
    LintRule,
    SourceFile,
    TextEdit,
    import_from,
    import_module,
    insert_before,
    replace_node,
)
from plugport.lint_rules.engine.tree import every_node


def _file(text: str, relative: str = "app/a.py", module: str = "app.a") -> SourceFile:
    return SourceFile(Path(relative), relative, module, text.encode())


def _edited(file: SourceFile, edit: TextEdit) -> str:
    lines = file.text.splitlines(keepends=True)
    start = sum(map(len, lines[: edit.span.line - 1])) + edit.span.column - 1
    end = sum(map(len, lines[: edit.span.end_line - 1])) + edit.span.end_column - 1
    return file.text[:start] + edit.text + file.text[end:]


def _first(file: SourceFile, kind: type[cst.CSTNode]) -> Any:
    return next(node for node in every_node(file.tree()) if isinstance(node, kind))


@pytest.mark.parametrize(
    ("text", "new", "expected"),
    [
        ("x = f(1)\n", "await g(f)", "x = await g(f)\n"),
        ("x = f(1).json()\n", "await g(f)", None),
        ("x = y, f(1) [0]\n", "await g(f)", "x = y, (await g(f)) [0]\n"),
        ("x = (f(1)).y\n", "await g(f)", "x = (await g(f)).y\n"),
        ("x = (\n    f(1)\n    .y\n)\n", "await g(f)", "x = (\n    (await g(f))\n    .y\n)\n"),
        ("f(1)\n(a, b) = c\n", "await g(f)", "await g(f)\n(a, b) = c\n"),
        ("x = f(1).y\n", "g(f)[0]", "x = g(f)[0].y\n"),
        ("x = -f(1)\n", "await g(f)", "x = -await g(f)\n"),
    ],
)
def test_an_expression_takes_the_place_of_another(text, new, expected):
    file = _file(text)
    node = _first(file, cst.Call) if expected else _first(file, cst.Attribute).value
    assert _edited(file, replace_node(file, node, new)) == (expected or "x = (await g(f)).json()\n")
    assert _edited(file, replace_node(file, node, cst.parse_expression(new))) == (
        expected or "x = (await g(f)).json()\n"
    )


def test_parentheses_are_neither_doubled_nor_lost():
    file = _file("x = (f)(1)\n")
    call = _first(file, cst.Call)
    assert _edited(file, replace_node(file, call.func, call.func.with_changes(value="g"))) == "x = (g)(1)\n"


def test_what_is_no_expression_is_refused():
    file = _file("x = f(1)\n")
    with pytest.raises(ValueError, match="is no expression"):
        replace_node(file, _first(file, cst.Call), "return 1")
    with pytest.raises(LookupError):
        replace_node(file, cst.Name("x"), "y")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f():\n    return 1\n", "def f():\n    log()\n    return 1\n"),
        ("def f():\n    x = 1; return x\n", None),
        ("def f(): return 1\n", None),
    ],
)
def test_a_line_goes_before_a_statement_if_that_starts_its_line(text, expected):
    file = _file(text)
    edit = insert_before(file, _first(file, cst.Return), "log()")
    assert (edit and _edited(file, edit)) == expected


def test_a_line_before_a_decorated_function_goes_before_its_decorators():
    file = _file("class A:\n    @b\n    def f(self): ...\n")
    edit = insert_before(file, _first(file, cst.FunctionDef), "x = 1", "")
    assert _edited(file, edit) == "class A:\n    x = 1\n\n    @b\n    def f(self): ...\n"


DEF = "\n\ndef f(): ...\n"
MODULES = [
    ("import os\nimport sys\n", "import asyncio\nimport os\nimport sys\n"),
    ("import abc\n\nimport httpx\n", "import abc\nimport asyncio\n\nimport httpx\n"),
    ("import abc\nfrom os import path\n", "import abc\nimport asyncio\nfrom os import path\n"),
    ("import httpx\n", "import asyncio\n\nimport httpx\n"),
    ("from app import b\n", "import asyncio\n\nfrom app import b\n"),
    ("from . import b\n", "import asyncio\n\nfrom . import b\n"),
    ('"""Doc."""\n\nfrom __future__ import annotations\n\nimport httpx\n',
     '"""Doc."""\n\nfrom __future__ import annotations\n\nimport asyncio\n\nimport httpx\n'),
    ('"""Doc."""\n', '"""Doc."""\n\nimport asyncio\n'),
    ("#!/usr/bin/env python\n", "#!/usr/bin/env python\nimport asyncio\n"),
    ('"""Doc."""\n\nx = 1\n', '"""Doc."""\n\nimport asyncio\n\nx = 1\n'),
    ('"""Doc."""\nx = 1\n', '"""Doc."""\n\nimport asyncio\n\nx = 1\n'),
    ("x = 1\n", "import asyncio\n\nx = 1\n"),
    ("# About f.\ndef f(): ...\n", "# About f.\nimport asyncio\n\n\ndef f(): ...\n"),
    ("# Header.\n\n# About f.\ndef f(): ...\n", "# Header.\n\nimport asyncio\n\n\n# About f.\ndef f(): ...\n"),
    ("@d\ndef f(): ...\n", "import asyncio\n\n\n@d\ndef f(): ...\n"),
    ("import os", "import asyncio\nimport os"),
    ("import abc", "import abc\nimport asyncio\n"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MODULES)
def test_an_import_goes_where_isort_would_have_it(text, expected):
    file = _file(text)
    name, (edit,) = import_module(file, "asyncio")
    assert (name, _edited(file, edit)) == ("asyncio", expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os\n\nfrom app.b import c\n", "import os\n\nfrom app.b import c\nfrom app.running import state\n"),
        ("import os\n\nfrom app.z import c\n", "import os\n\nfrom app.running import state\nfrom app.z import c\n"),
        ("import os\n", "import os\n\nfrom app.running import state\n"),
        ("import docker\n\nfrom . import z\n", "import docker\n\nfrom app.running import state\n\nfrom . import z\n"),
    ],
)
def test_a_name_of_the_project_is_imported_in_its_section(text, expected):
    file = _file(text)
    name, (edit,) = import_from(file, "app.running", "state")
    assert (name, _edited(file, edit)) == ("state", expected)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import asyncio\n", "asyncio"),
        ("import asyncio as aio\n", "aio"),
        ("import asyncio\n\n\ndef f(asyncio): ...\n", None),
        ("try:\n    import asyncio\nexcept ImportError:\n    asyncio = None\n", None),
        ("for asyncio in x: ...\n", None),
        ("with a as (asyncio, b): ...\n", None),
        ("def asyncio(): ...\n", None),
        ("match x:\n    case asyncio: ...\n", None),
    ],
)
def test_an_import_that_is_there_serves_unless_the_name_means_something_else(text, name):
    imported = import_module(_file(text), "asyncio")
    assert (imported and imported.name) == name
    assert imported is None or imported.edits == ()


def test_a_relative_import_that_is_there_serves():
    file = _file("from .running import state as ask\n")
    assert import_from(file, "app.running", "state") == ("ask", ())


def test_a_rule_s_replacement_is_an_unsafe_fix():
    class Rule(LintRule):
        code = "XY001"
        message = "no f"

        def visit_Call(self, node: cst.Call) -> None:
            self.report(node, replacement=node.with_changes(func=cst.Name("g")))

    visitor = Rule({}).opened(_file("x = f(1)\n"), None, None)
    visitor.file.tree().visit(visitor)
    ((fix,),) = ([finding.fix for finding in visitor.findings],)
    assert (fix.title, fix.is_safe) == ("write g(1)", False)
    assert [edit.text for edit in fix.edits] == ["g(1)"]
