"""Mutants for `--prove`: code with one mistake in it, which a rule must find."""

from __future__ import annotations

from ast import AST
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .source_file import SourceFile

if TYPE_CHECKING:
    import libcst


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
    """Return the file's text with these edits, with the line `top` after its docstring and its `from __future__`
    imports, and with `bottom` at its end. Raises `Unparsable`."""
    lines = file.lines()
    for edit in sorted(edits, key=lambda edit: -edit.start):
        lines[edit.start - 1 : edit.end] = edit.lines
    if top:
        lines.insert(lines_before_imports(file), top)
    return "\n".join([*lines, *([bottom] if bottom else [])]) + "\n"


def indent_of(file: SourceFile, statement: libcst.CSTNode | AST) -> str:
    """Return the white space before a statement: a node of `file.tree()`, or of `file.ast()`."""
    line = file.line(file.span(statement).line)
    return line[: len(line) - len(line.lstrip())]


def lines_before_imports(file: SourceFile) -> int:
    """Return how many lines stand before the first place for an import. Raises `Unparsable`."""
    import libcst as cst

    after = 0
    for statement in file.tree().body:
        if not isinstance(statement, cst.SimpleStatementLine) or not all(map(_comes_first, statement.body)):
            break
        after = file.span(statement).end_line
    return after


def _comes_first(statement: libcst.BaseSmallStatement) -> bool:
    import libcst as cst

    if isinstance(statement, cst.Expr):
        return isinstance(statement.value, cst.SimpleString | cst.ConcatenatedString)
    return (
        isinstance(statement, cst.ImportFrom)
        and isinstance(statement.module, cst.Name)
        and statement.module.value == "__future__"
    )
