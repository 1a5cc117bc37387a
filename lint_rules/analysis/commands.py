"""Reads which command a call runs."""

from __future__ import annotations

import ast
import re
import shlex

from .instance_kinds import InstanceKinds
from .literal_text import DEEPEST, literal_text, text_or_hole
from .nodes import last_name
from .scopes import Scope

_RUNS = re.compile(r"run|exec|call|output|popen|spawn|shell|system|command|process|\Ash\Z", re.IGNORECASE)
_TAKES_VALUE = frozenset({"-H", "--host", "-c", "--context", "--config", "-l", "--log-level"})


def command_words(call: ast.Call, names: InstanceKinds, scope: Scope) -> list[str]:
    """Return the words of the command that a call runs: the program's name without its folder, then its arguments
    without the options before the first of them. Empty if the call runs no command."""
    qualified = names.qualified(call.func, scope) or last_name(call.func)
    if not _RUNS.search(qualified.rpartition(".")[2]) or not call.args:
        return []
    words = _words(call.args[0], names, scope, 0)
    if words is None or len(words) == 1:
        rest = [argument for argument in call.args[1:] if not isinstance(argument, ast.Starred)]
        words = [*(words or []), *(text_or_hole(argument, names, scope) for argument in rest)]
    return _without_options(words)


def _words(expression: ast.expr, names: InstanceKinds, scope: Scope, depth: int) -> list[str] | None:
    if depth > DEEPEST:
        return None
    match expression:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [word for element in elements for word in _words_of_element(element, names, scope, depth)]
        case ast.BinOp(left=left, op=ast.Add(), right=right) if not isinstance(left, ast.Constant | ast.JoinedStr):
            first = _words(left, names, scope, depth + 1)
            return None if first is None else [*first, *(_words(right, names, scope, depth + 1) or [])]
        case ast.Call(func=ast.Attribute(value=receiver, attr="split"), args=arguments):
            return _words(arguments[0] if arguments else receiver, names, scope, depth + 1)
        case ast.Name(id=name):
            value = names.value_of(name, scope)
            if value is not None and isinstance(value[0], ast.List | ast.Tuple | ast.BinOp):
                return _words(value[0], names, value[1], depth + 1)
    text = literal_text(expression, names, scope)
    if text is None:
        return None
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _words_of_element(element: ast.expr, names: InstanceKinds, scope: Scope, depth: int) -> list[str]:
    if isinstance(element, ast.Starred):
        words = _words(element.value, names, scope, depth + 1)
        return [text_or_hole(element.value, names, scope)] if words is None else words
    return [text_or_hole(element, names, scope)]


def _without_options(words: list[str]) -> list[str]:
    if not words:
        return []
    kept, skip = [words[0].rpartition("/")[2]], False
    for index, word in enumerate(words[1:], 1):
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _TAKES_VALUE
        else:
            return kept + words[index:]
    return kept
