"""Reads which command a call runs."""

from __future__ import annotations

import re
import shlex

import libcst as cst

from .instance_kinds import InstanceKinds
from .literal_text import DEEPEST, literal_text, text_or_hole
from .scopes import Scope
from .syntax import elements, is_string, last_name, positional

_RUNS = re.compile(r"run|exec|call|output|popen|spawn|shell|system|command|process|\Ash\Z", re.IGNORECASE)
_TAKES_VALUE = frozenset({"-H", "--host", "-c", "--context", "--config", "-l", "--log-level"})


def command_words(call: cst.Call, names: InstanceKinds, scope: Scope) -> list[str]:
    """Return the words of the command that a call runs: the program's name without its folder, then its arguments
    without the options before the first of them. Empty if the call runs no command."""
    qualified = names.qualified(call.func, scope) or last_name(call.func)
    if not _RUNS.search(qualified.rpartition(".")[2]) or not call.args:
        return []
    values = positional(call)
    words = _words(values[0], names, scope, 0) if values else None
    if words is None or len(words) == 1:
        words = [*(words or []), *(text_or_hole(value, names, scope) for value in values[1:])]
    return _without_options(words)


def _words(expression: cst.BaseExpression, names: InstanceKinds, scope: Scope, depth: int) -> list[str] | None:
    if depth > DEEPEST:
        return None
    if not isinstance(expression, cst.Set) and (items := elements(expression)) is not None:
        return [word for item in items for word in _words_of_element(item, names, scope, depth)]
    match expression:
        case cst.BinaryOperation(left=left, operator=cst.Add(), right=right) if not is_string(left):
            first = _words(left, names, scope, depth + 1)
            return None if first is None else [*first, *(_words(right, names, scope, depth + 1) or [])]
        case cst.Call(func=cst.Attribute(value=receiver, attr=cst.Name(value="split"))):
            arguments = positional(expression)
            return _words(arguments[0] if arguments else receiver, names, scope, depth + 1)
        case cst.Name(value=name):
            value = names.value_of(name, scope)
            if value is not None and isinstance(value[0], cst.List | cst.Tuple | cst.BinaryOperation):
                return _words(value[0], names, value[1], depth + 1)
    text = literal_text(expression, names, scope)
    if text is None:
        return None
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _words_of_element(element: cst.BaseExpression, names: InstanceKinds, scope: Scope, depth: int) -> list[str]:
    if isinstance(element, cst.StarredElement):
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
