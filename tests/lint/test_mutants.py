"""What a rule's `mutants` are made with: texts by lines, at nodes of LibCST or of `ast`."""

from __future__ import annotations

import ast
from pathlib import Path

import libcst as cst
import pytest

from plugport.lint_rules import Edit, SourceFile, edited, indent_of
from plugport.lint_rules.engine.source_file import decode, encode
from plugport.lint_rules.engine.tree import every_node


def _file(text: str) -> SourceFile:
    return SourceFile(Path("a.py"), "a.py", None, text.encode())


def test_the_indent_is_that_of_the_statement_s_line():
    file = _file("def f():\n    if x:\n      y = 1; z = 2\n")
    assigned = [node for node in every_node(file.tree()) if isinstance(node, cst.Assign)]
    assert [indent_of(file, node) for node in assigned] == ["      ", "      "]
    (function,) = (node for node in every_node(file.tree()) if isinstance(node, cst.FunctionDef))
    assert (indent_of(file, function), indent_of(file, function.body.body[0])) == ("", "    ")
    assert indent_of(file, ast.parse(file.text).body[0].body[0]) == "    "  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\n", "import t\nx = 1\n"),
        ('"""Says."""\nx = 1\n', '"""Says."""\nimport t\nx = 1\n'),
        (
            '"""Says\nmore."""\n\nfrom __future__ import annotations\n\nx = 1\n',
            '"""Says\nmore."""\n\nfrom __future__ import annotations\nimport t\n\nx = 1\n',
        ),
        ("'a' 'b'\nfrom __future__ import (\n    annotations,\n)\n", "'a' 'b'\nfrom __future__ import (\n    annotations,\n)\nimport t\n"),
        ("from . import y\n", "import t\nfrom . import y\n"),
        ("", "import t\n"),
    ],
)  # fmt: skip
def test_an_import_comes_after_the_docstring_and_the_future(text, expected):
    assert edited(_file(text), [], top="import t") == expected


def test_edits_are_those_of_the_original_s_lines_and_the_rest_stays():
    file = _file("a\nb = '\x0c'\nc\r\nd\n")
    assert edited(file, [Edit(4, 4, ("D", "E")), Edit(1, 1, ())], bottom="last") == "b = '\x0c'\nc\nD\nE\nlast\n"


@pytest.mark.parametrize(
    "data", [b"x = 'a'\n", b"\xef\xbb\xbfx = '\xc3\xa9'\r\n", b"# -*- coding: latin-1 -*-\nx = '\xe9'\n"]
)
def test_a_text_goes_back_into_the_encoding_of_its_file(data):
    assert encode(decode(data), data) == data
