"""Reads the text that an expression makes, with `{}` for each part that only a run could tell."""

from __future__ import annotations

import ast
import re

from .instance_kinds import InstanceKinds
from .scopes import Scope

HOLE = "{}"
DEEPEST = 8
"""Steps from an expression to its parts, after which it counts as unknown."""
_PERCENT = re.compile(r"%(?:\(\w+\))?[-+ #0-9.]*[a-zA-Z]")
_FIELD = re.compile(r"\{[^{}]*\}")


def literal_text(expression: ast.expr, names: InstanceKinds, scope: Scope, depth: int = 0) -> str | None:
    """Return the text of an expression, as far as the source tells; None if it is no text."""
    if depth > DEEPEST:
        return None
    match expression:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=bytes(data)):
            return data.decode("utf-8", "replace")
        case ast.JoinedStr(values=values):
            return "".join(text_or_hole(value, names, scope, depth) for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            sides = [literal_text(side, names, scope, depth + 1) for side in (left, right)]
            return None if sides == [None, None] else "".join(HOLE if side is None else side for side in sides)
        case ast.BinOp(left=left, op=ast.Mod()):
            pattern = literal_text(left, names, scope, depth + 1)
            return None if pattern is None else _PERCENT.sub(HOLE, pattern)
        case ast.Call(func=ast.Attribute(value=value, attr="format" | "format_map")):
            pattern = literal_text(value, names, scope, depth + 1)
            return None if pattern is None else _FIELD.sub(HOLE, pattern)
        case ast.Call(func=ast.Attribute(value=value, attr="encode" | "strip")):
            return literal_text(value, names, scope, depth + 1)
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str(separator)), attr="join"),
            args=[ast.List() | ast.Tuple() as parts],
        ):
            return separator.join(text_or_hole(part, names, scope, depth) for part in parts.elts)
        case ast.Call(func=ast.Name(id="str" | "URL" | "bytes"), args=[value, *_]):
            return literal_text(value, names, scope, depth + 1)
        case ast.Name(id=name) if (value_and_scope := names.value_of(name, scope)) is not None:
            return literal_text(value_and_scope[0], names, value_and_scope[1], depth + 1)
    return None


def text_or_hole(value: ast.expr, names: InstanceKinds, scope: Scope, depth: int = 0) -> str:
    """Return the text of an expression or of a part of an f-string, `HOLE` if it is not known."""
    inner = value.value if isinstance(value, ast.FormattedValue) else value
    text = literal_text(inner, names, scope, depth + 1)
    return HOLE if text is None else text
