"""Turns a call that waits, in an `async def`, into `await asyncio.to_thread(…)`."""

from __future__ import annotations

import re

import libcst as cst

from ...engine.ancestors import ancestors
from ...engine.contract import Fix, Span, TextEdit
from ...engine.edits import import_module, needs_parentheses
from ...engine.source_file import SourceFile

_SPACE = re.compile(r"\s*")


def in_thread(file: SourceFile, call: cst.Call) -> Fix | None:
    """Return the fix for a call that the body of an `async def` makes. None in a generator expression, which would
    become an asynchronous one, and if `asyncio` means something else in the file."""
    imported = import_module(file, "asyncio")
    if imported is None or any(isinstance(parent, cst.GeneratorExp) for parent in _in_function(file, call)):
        return None
    start, end = file.offsets(call)
    bracket = file.text.index("(", _behind(file, call.func))
    space = _SPACE.match(file.text, bracket + 1)
    gap = space[0] if space is not None and call.args and "\n" in space[0] else ""
    around = ("(", ")") if needs_parentheses(file, call) else ("", "")
    edits = [
        *imported.edits,
        _insert(file, start, f"{around[0]}await {imported.name}.to_thread({gap}"),
        _replace(file, bracket, bracket + 1, "" if not call.args else "," if gap else ", "),
    ]
    if len(call.args) == 1 and isinstance(call.args[0].value, cst.GeneratorExp) and not call.args[0].value.lpar:
        first, last = file.offsets(call.args[0].value)
        edits += [_insert(file, first, "("), _insert(file, last, ")")]
    if around[1]:
        edits.append(_insert(file, end, around[1]))
    return Fix(f"run it in a thread: await {imported.name}.to_thread(…)", tuple(edits))


def _in_function(file: SourceFile, node: cst.CSTNode) -> list[cst.CSTNode]:
    around = []
    for parent in ancestors(file, node):
        if isinstance(parent, cst.FunctionDef):
            break
        around.append(parent)
    return around


def _behind(file: SourceFile, node: cst.BaseExpression) -> int:
    """Return the offset behind an expression and the parentheses around it."""
    end = file.offsets(node)[1]
    for _ in node.rpar:
        end = file.text.index(")", end) + 1
    return end


def _insert(file: SourceFile, offset: int, text: str) -> TextEdit:
    return _replace(file, offset, offset, text)


def _replace(file: SourceFile, start: int, end: int, text: str) -> TextEdit:
    return TextEdit(Span(*file.place(start), *file.place(end)), text)
