"""Texts and commands as they are put together in code, with `{}` for what only a run could tell."""

from __future__ import annotations

import ast
import re
import shlex

from .instance_kinds import GuardedNames
from .value_kinds import Scope

HOLE = "{}"
COMMANDS = frozenset({"docker", "podman", "nerdctl"})
_DEEPEST = 8
_PERCENT = re.compile(r"%(?:\(\w+\))?[-+ #0-9.]*[a-zA-Z]")
_FIELD = re.compile(r"\{[^{}]*\}")
_RUNS = re.compile(r"run|exec|call|output|popen|spawn|shell|system|command|process|\Ash\Z", re.IGNORECASE)
_TAKES_VALUE = frozenset({"-H", "--host", "-c", "--context", "--config", "-l", "--log-level"})


def spelled(expression: ast.expr, names: GuardedNames, scope: Scope, depth: int = 0) -> str | None:
    """The text of an expression, as far as it can be read; None where it is no text."""
    if depth > _DEEPEST:
        return None
    match expression:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=bytes(data)):
            return data.decode("utf-8", "replace")
        case ast.JoinedStr(values=values):
            return "".join(_part(value, names, scope, depth) for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            sides = [spelled(side, names, scope, depth + 1) for side in (left, right)]
            return None if sides == [None, None] else "".join(side if side is not None else HOLE for side in sides)
        case ast.BinOp(left=left, op=ast.Mod()):
            pattern = spelled(left, names, scope, depth + 1)
            return None if pattern is None else _PERCENT.sub(HOLE, pattern)
        case ast.Call(func=ast.Attribute(value=value, attr="format" | "format_map")):
            pattern = spelled(value, names, scope, depth + 1)
            return None if pattern is None else _FIELD.sub(HOLE, pattern)
        case ast.Call(func=ast.Attribute(value=value, attr="encode" | "strip")):
            return spelled(value, names, scope, depth + 1)
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str(between)), attr="join"),
            args=[ast.List() | ast.Tuple() as parts],
        ):
            return between.join(_part(one, names, scope, depth) for one in parts.elts)
        case ast.Call(func=ast.Name(id="str" | "URL" | "bytes"), args=[value, *_]):
            return spelled(value, names, scope, depth + 1)
        case ast.Name(id=name):
            found = names.value_of(name, scope)
            return None if found is None else spelled(found[0], names, found[1], depth + 1)
    return None


def _part(value: ast.expr, names: GuardedNames, scope: Scope, depth: int) -> str:
    inner = value.value if isinstance(value, ast.FormattedValue) else value
    text = spelled(inner, names, scope, depth + 1)
    return HOLE if text is None else text


def command_words(call: ast.Call, names: GuardedNames, scope: Scope) -> list[str]:
    """The words of a command that a call runs: the program's own name, then its words without its options; empty
    where the call runs no command."""
    func = call.func
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    qualified = names.qualified(func, scope) or name
    if not _RUNS.search(qualified.rpartition(".")[2]) or not call.args:
        return []
    words = _words(call.args[0], names, scope, 0)
    if words is None or len(words) == 1:
        rest = [spelled(one, names, scope) for one in call.args[1:] if not isinstance(one, ast.Starred)]
        words = [*(words or []), *(one if one is not None else HOLE for one in rest)]
    return _without_options(words)


def _words(expression: ast.expr, names: GuardedNames, scope: Scope, depth: int) -> list[str] | None:
    if depth > _DEEPEST:
        return None
    match expression:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            found = []
            for one in elements:
                inner = one.value if isinstance(one, ast.Starred) else one
                more = _words(inner, names, scope, depth + 1) if isinstance(one, ast.Starred) else None
                text = spelled(inner, names, scope)
                found += more if more is not None else [text if text is not None else HOLE]
            return found
        case ast.BinOp(left=left, op=ast.Add(), right=right) if not isinstance(left, ast.Constant | ast.JoinedStr):
            first = _words(left, names, scope, depth + 1)
            return None if first is None else [*first, *(_words(right, names, scope, depth + 1) or [])]
        case ast.Call(func=ast.Attribute(attr="split"), args=arguments):
            held = expression.func.value if isinstance(expression.func, ast.Attribute) else expression
            return _words(arguments[0] if arguments else held, names, scope, depth + 1)
        case ast.Name(id=name):
            value = names.value_of(name, scope)
            if value is not None and isinstance(value[0], ast.List | ast.Tuple | ast.BinOp):
                return _words(value[0], names, value[1], depth + 1)
    text = spelled(expression, names, scope)
    if text is None:
        return None
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _without_options(words: list[str]) -> list[str]:
    if not words:
        return []
    kept, skip = [words[0].rpartition("/")[2]], False
    for index, word in enumerate(words[1:], 1):
        if skip:
            skip = False
        elif word.startswith("-") and len(kept) == 1:
            skip = word in _TAKES_VALUE
        else:
            kept += words[index:]
            break
    return kept
