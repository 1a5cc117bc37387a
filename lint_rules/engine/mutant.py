"""Broken code, for `--prove`: how a rule says what somebody might write."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from .contract import SourceFile


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file's text with one mistake in it: `line` is where in the original, `what` is the mistake in words."""

    path: str
    line: int
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines `start` to `end` (from 1, inclusive) of a file become `lines`."""

    start: int
    end: int
    lines: tuple[str, ...]


def edited(file: SourceFile, edits: Iterable[Edit], *, top: str = "", bottom: str = "") -> str:
    """The file's text with these edits, a line put behind its `from __future__` imports, and lines at its end."""
    lines = file.text.splitlines()
    for edit in sorted(edits, key=lambda edit: -edit.start):
        lines[edit.start - 1 : edit.end] = edit.lines
    if top:
        lines.insert(_first_statement(file.ast()), top)
    return "\n".join([*lines, *([bottom] if bottom else [])]) + "\n"


def _first_statement(tree: ast.Module) -> int:
    """How many lines stand before the place where an import may be put."""
    after = 0
    for node in tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (is_text or is_future):
            break
        after = node.end_lineno or node.lineno
    return after


def indent_of(file: SourceFile, node: ast.stmt) -> str:
    """The white space before a statement."""
    line = file.line(node.lineno)
    return line[: len(line) - len(line.lstrip())]
