"""What the import statements of a file bind, and the dotted names that come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import libcst as cst

from .source_file import SourceFile
from .tree import every_node


class Imports:
    """The imported names of one file; of several imports of one name the last counts."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    @classmethod
    def of(cls, file: SourceFile) -> Imports:
        """Read them, once for each file."""

        def read() -> Imports:
            package = package_of(file)
            return cls(
                {
                    name: dotted
                    for node in every_node(file.tree())
                    if isinstance(node, cst.Import | cst.ImportFrom)
                    for name, dotted in imported_names(node, package)
                }
            )

        return file.derived("imports", read)

    def qualified(self, node: cst.CSTNode) -> str | None:
        """Return the dotted name of `a.b.c` if `a` is imported; else None."""
        return qualified_name(node, self.names.get)


def package_of(file: SourceFile) -> str:
    """Return the dotted name of the package that the file's relative imports start from; empty at the top level."""
    module = file.module or ""
    return module if file.relative.endswith("__init__.py") else module.rpartition(".")[0]


def dotted_name(node: cst.CSTNode | None) -> str:
    """Return `a.b.c` of that expression; an empty string for any other."""
    return qualified_name(node, lambda name: name) or "" if node is not None else ""


def imported_names(node: cst.Import | cst.ImportFrom, package: str | None) -> Iterator[tuple[str, str]]:
    """Yield each name that the statement binds, with the dotted name that it stands for; `*` stands for all names.

    A relative import starts from `package`. If that is None, the dotted name keeps the leading dots, so that it
    equals no name of a library.
    """
    if isinstance(node, cst.Import):
        for alias in node.names:
            dotted, top = dotted_name(alias.name), dotted_name(alias.name).partition(".")[0]
            yield (_bound(alias), dotted) if alias.asname is not None else (top, top)
        return
    module = dotted_name(node.module)
    if node.relative and package is None:
        module = "." * len(node.relative) + module
    elif node.relative and package is not None:
        parents = package.split(".") if package else []
        module = ".".join([*parents[: len(parents) - len(node.relative) + 1], *([module] if module else [])])
    prefix = f"{module}." if module else ""
    if isinstance(node.names, cst.ImportStar):
        yield "*", f"{prefix}*"
        return
    for alias in node.names:
        yield _bound(alias), prefix + dotted_name(alias.name)


def qualified_name(expression: cst.CSTNode, base_of: Callable[[str], str | None]) -> str | None:
    """Return the dotted name of `a.b.c`, where `base_of("a")` is what `a` stands for; None for any other expression,
    and if `a` stands for nothing known."""
    attributes: list[str] = []
    while isinstance(expression, cst.Attribute):
        attributes.append(expression.attr.value)
        expression = expression.value
    base = base_of(expression.value) if isinstance(expression, cst.Name) else None
    return None if base is None else ".".join([base, *reversed(attributes)])


def _bound(alias: cst.ImportAlias) -> str:
    return dotted_name(alias.asname.name if alias.asname is not None else alias.name)
