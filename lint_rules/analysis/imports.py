"""Resolves import names. Every rule goes through this module; only the lookup of the first name differs by rule."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from ..engine.contract import SourceFile


def package_of(file: SourceFile) -> str:
    """Return the dotted name of the package that the file's relative imports start from; empty at the top level."""
    module = file.module or ""
    return module if file.relative.endswith("__init__.py") else module.rpartition(".")[0]


def imported_names(node: ast.Import | ast.ImportFrom, package: str | None) -> Iterator[tuple[str, str]]:
    """Yield each name that the statement binds, with the dotted name that it stands for.

    A relative import starts from `package`. If that is None, the dotted name keeps the leading dots, so that it
    equals no name of a library.
    """
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
        return
    module = node.module or ""
    if node.level and package is None:
        module = "." * node.level + module
    elif node.level and package is not None:
        parents = package.split(".") if package else []
        module = ".".join([*parents[: len(parents) - node.level + 1], *([module] if module else [])])
    for alias in node.names:
        yield alias.asname or alias.name, f"{module}.{alias.name}" if module else alias.name


def qualified_name(expression: ast.expr, base_of: Callable[[str], str | None]) -> str | None:
    """Return the dotted name of `a.b.c`, where `base_of("a")` is what `a` stands for; None for any other expression,
    and if `a` stands for nothing known."""
    attributes: list[str] = []
    while isinstance(expression, ast.Attribute):
        attributes.append(expression.attr)
        expression = expression.value
    base = base_of(expression.id) if isinstance(expression, ast.Name) else None
    return None if base is None else ".".join([base, *reversed(attributes)])
