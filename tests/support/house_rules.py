"""Measures Python files by the house rules: length of modules and functions, names of modules and of locals."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 50
NAMELESS = {"one", "found", "told", "given"}
"""Locals that do not say what they hold."""


def long_modules(path: Path) -> list[str]:
    """Return the file's length, if it is too long."""
    lines = len(path.read_text("utf-8").splitlines())
    return [f"{lines} lines"] if lines > MOST_LINES_OF_A_MODULE else []


def long_functions(path: Path) -> list[str]:
    """Return the functions that are too long, each with its length. Decorators do not count."""
    functions = [node for node in ast.walk(_parse(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in functions]
    return [f"{name}: {lines} lines" for name, lines in lengths if lines > MOST_LINES_OF_A_FUNCTION]


def nameless_locals(path: Path) -> list[str]:
    """Return where a name is bound that says nothing: assignments, loops, arguments, `with`, `except`, patterns.

    The fields of a class are no locals.
    """
    tree = _parse(path)
    fields = {id(name) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for name in _fields(node)}
    bound = [(line, name) for node in ast.walk(tree) if id(node) not in fields for name, line in _bound_names(node)]
    return [f"line {line}: {name}" for line, name in sorted(bound) if name in NAMELESS]


def _fields(node: ast.ClassDef) -> Iterator[ast.expr]:
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign):
            yield statement.target


def _bound_names(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id, node.lineno
    elif isinstance(node, ast.arg):
        yield node.arg, node.lineno
    elif isinstance(node, ast.alias):
        yield node.asname or "", node.lineno
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        yield node.name or "", node.lineno
    elif isinstance(node, ast.MatchMapping):
        yield node.rest or "", node.lineno


def gerunds(path: Path) -> list[str]:
    """Return the last word of the module's name, if it is a form in -ing."""
    word = path.stem.rpartition("_")[2]
    return [word] if word.endswith("ing") else []


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))
