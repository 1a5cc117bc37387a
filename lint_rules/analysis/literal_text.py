"""Reads the text that an expression makes, with `{}` for each part that only a run could tell."""

from __future__ import annotations

import re

import libcst as cst

from .instance_kinds import InstanceKinds
from .scopes import Scope
from .syntax import bytes_value, elements, string_value

HOLE = "{}"
DEEPEST = 8
"""Steps from an expression to its parts, after which it counts as unknown."""
_PERCENT = re.compile(r"%(?:\(\w+\))?[-+ #0-9.]*[a-zA-Z]")
_FIELD = re.compile(r"\{[^{}]*\}")


def literal_text(expression: cst.BaseExpression, names: InstanceKinds, scope: Scope, depth: int = 0) -> str | None:
    """Return the text of an expression, as far as the source tells; None if it is no text."""
    if depth > DEEPEST:
        return None
    if (text := string_value(expression)) is not None:
        return text
    if (data := bytes_value(expression)) is not None:
        return data.decode("utf-8", "replace")
    match expression:
        case cst.FormattedString(parts=parts):
            return "".join(text_or_hole(part, names, scope, depth) for part in parts)
        case cst.ConcatenatedString(left=left, right=right):
            return text_or_hole(left, names, scope, depth) + text_or_hole(right, names, scope, depth)
        case cst.BinaryOperation(left=left, operator=cst.Add(), right=right):
            sides = [literal_text(side, names, scope, depth + 1) for side in (left, right)]
            return None if sides == [None, None] else "".join(HOLE if side is None else side for side in sides)
        case cst.BinaryOperation(left=left, operator=cst.Modulo()):
            pattern = literal_text(left, names, scope, depth + 1)
            return None if pattern is None else _PERCENT.sub(HOLE, pattern)
        case cst.Call():
            return _text_of_call(expression, names, scope, depth)
        case cst.Name(value=name) if (value_and_scope := names.value_of(name, scope)) is not None:
            return literal_text(value_and_scope[0], names, value_and_scope[1], depth + 1)
    return None


def _text_of_call(call: cst.Call, names: InstanceKinds, scope: Scope, depth: int) -> str | None:
    match call:
        case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value="format" | "format_map"))):
            pattern = literal_text(value, names, scope, depth + 1)
            return None if pattern is None else _FIELD.sub(HOLE, pattern)
        case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value="encode" | "strip"))):
            return literal_text(value, names, scope, depth + 1)
        case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value="join")), args=[cst.Arg(value=joined)]):
            separator, parts = string_value(value), elements(joined)
            if separator is not None and parts is not None:
                return separator.join(text_or_hole(part, names, scope, depth) for part in parts)
        case cst.Call(func=cst.Name(value="str" | "URL" | "bytes"), args=[cst.Arg(value=value), *_]):
            return literal_text(value, names, scope, depth + 1)
    return None


def text_or_hole(node: cst.CSTNode, names: InstanceKinds, scope: Scope, depth: int = 0) -> str:
    """Return the text of an expression or of a part of an f-string, `HOLE` if it is not known."""
    if isinstance(node, cst.FormattedStringText):
        return node.value.replace("{{", "{").replace("}}", "}")
    inner = node.expression if isinstance(node, cst.FormattedStringExpression) else node
    text = literal_text(inner, names, scope, depth + 1) if isinstance(inner, cst.BaseExpression) else None
    return HOLE if text is None else text
