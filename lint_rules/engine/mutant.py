"""Mutants for `--prove`: code with one mistake in it, which a rule must find."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from .contract import SourceFile


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file's text with one mistake in it: the line of the original, and the mistake in words."""

    path: str
    line: int
    mistake: str
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the lines `start` to `end` (from 1, inclusive) of a file by `lines`."""

    start: int
    end: int
    lines: tuple[str, ...]


def edited(file: SourceFile, edits: Iterable[Edit], *, top: str = "", bottom: str = "") -> str:
    """Return the file's text with these edits, with the line `top` after its `from __future__` imports, and with
    `bottom` at its end."""
    lines = file.text.splitlines()
    for edit in sorted(edits, key=lambda edit: -edit.start):
        lines[edit.start - 1 : edit.end] = edit.lines
    if top:
        lines.insert(_first_statement(file.ast()), top)
    return "\n".join([*lines, *([bottom] if bottom else [])]) + "\n"


def _first_statement(tree: ast.Module) -> int:
    """Return how many lines stand before the first place for an import."""
    after = 0
    for node in tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (is_text or is_future):
            break
        after = node.end_lineno or node.lineno
    return after


def indent_of(file: SourceFile, node: ast.stmt) -> str:
    """Return the white space before a statement."""
    line = file.line(node.lineno)
    return line[: len(line) - len(line.lstrip())]
