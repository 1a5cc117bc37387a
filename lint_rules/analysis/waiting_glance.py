"""Chooses by `ast`, ten times faster than LibCST, which files PP004 has to read: it leaves out those in which nothing
can wait. What waits is judged elsewhere, on LibCST."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from ..engine.contract import SourceFile, Summaries
from ..tables.blocking_apis import BUILTINS, FUNCTIONS, KINDS, MAKERS
from ..tables.kinds import EVERY
from .project_waits import ProjectWaits

SMALL = 8_000
"""Bytes of a module that is read for its calls of other modules alone."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What a file holds, seen quickly: the names that it calls without `await`, the attributes that it reads, what it
    imports and uses by dotted name, and which functions and classes there are."""

    called: frozenset[str]
    read: frozenset[str]
    imported: frozenset[str]
    used: frozenset[str]
    has_async: bool
    has_plain: bool
    hands_on: bool
    nests_async: bool
    is_small: bool
    package: str

    @classmethod
    def of(cls, file: SourceFile) -> Glance:
        """Look once at each file. Raises `Unparsable`."""
        return file.derived("PP004 glance", lambda: _glance(file))

    @property
    def may_be_called(self) -> bool:
        """Return whether another module may wait in a function of this one, or get a value from it that waits. Of
        those that use no library themselves, only small modules are followed."""
        if self.hands_on or self._uses_library():
            return True
        return self.is_small and (self.nests_async or (self.has_plain and self._calls_own()))

    def may_block(self, summaries: Summaries) -> bool:
        """Return whether a coroutine of the file may wait."""
        if not self.has_async:
            return False
        if self._uses_library():
            return True
        project = ProjectWaits(summaries)
        names = self.called | self.read
        return any(project.may_wait(dotted, names) for dotted in self.imported)

    def _calls_own(self) -> bool:
        top = self.package.partition(".")[0]
        return any(dotted.partition(".")[0] == top for dotted in self.imported)

    def _uses_library(self) -> bool:
        if not self.called.isdisjoint(BUILTINS):
            return True
        for dotted in self.used | self.imported:
            if dotted in FUNCTIONS or (dotted.endswith(".*") and dotted.partition(".")[0] in ROOTS):
                return True
            kind = MAKERS.get(dotted)
            if kind is not None and (_waits_of(kind) >= EVERY or not self.called.isdisjoint(_waits_of(kind))):
                return True
        return "open" in self.called and not self.called.isdisjoint(_waits_of(MAKERS["builtins.open"]))


def _glance(file: SourceFile) -> Glance:
    tree = file.ast()
    module = file.module or ""
    package = module if file.relative.endswith("__init__.py") else module.rpartition(".")[0]
    called: set[str] = set()
    read: set[str] = set()
    bound: dict[str, str] = {}
    chains: set[tuple[str, ...]] = set()
    awaited: set[int] = set()
    has_async = has_plain = has_class = nests_async = False
    for node in ast.walk(tree):  # parents come before their children, so `await` before what it awaits
        if isinstance(node, ast.Await):
            awaited.add(id(node.value))
        elif isinstance(node, ast.Call):
            if id(node) not in awaited:
                called.add(_last_name(node.func))
        elif isinstance(node, ast.Attribute):
            read.add(node.attr)
            if (chain := _chain(node)) is not None:
                chains.add(chain)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound.update(_imported(node, package))
        elif isinstance(node, ast.AsyncFunctionDef):
            has_async = True
        elif isinstance(node, ast.FunctionDef):
            has_plain = True
            nests_async = nests_async or any(isinstance(inner, ast.AsyncFunctionDef) for inner in node.body)
        elif isinstance(node, ast.ClassDef):
            has_class = True
    hands_on = file.relative.endswith("__init__.py") or not (has_plain or has_async or has_class)
    return Glance(
        frozenset(called),
        frozenset(read),
        frozenset(bound.values()),
        frozenset(".".join((bound[base], *rest)) for base, *rest in chains if base in bound),
        has_async,
        has_plain,
        hands_on and bool(bound),
        nests_async,
        len(file.data) < SMALL,
        package,
    )


def _chain(node: ast.Attribute) -> tuple[str, ...] | None:
    """Return the names of `a.b.c`; None for any other expression."""
    names = [node.attr]
    value = node.value
    while isinstance(value, ast.Attribute):
        names.append(value.attr)
        value = value.value
    return (value.id, *reversed(names)) if isinstance(value, ast.Name) else None


def _last_name(expression: ast.expr) -> str:
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def _imported(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, str]]:
    """Yield each name that the statement binds, with the dotted name behind it."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
            yield alias.name, alias.name  # so that the module counts as imported, too
        return
    module = node.module or ""
    if node.level:
        parents = package.split(".") if package else []
        module = ".".join([*parents[: len(parents) - node.level + 1], *([module] if module else [])])
    for alias in node.names:
        yield alias.asname or alias.name, f"{module}.{alias.name}" if module else alias.name


@cache
def _waits_of(kind: str) -> frozenset[str]:
    """Return what waits of a kind and of everything that it gives."""
    seen: set[str] = set()
    waiting = [kind]
    names: set[str] = set()
    while waiting:
        known = KINDS.get(waiting.pop())
        if known is not None and known.name not in seen:
            seen.add(known.name)
            names |= known.waits
            waiting += [*known.gives.values(), *known.holds.values(), *([known.items] if known.items else [])]
    return frozenset(names)


ROOTS = frozenset(name.partition(".")[0] for name in (*FUNCTIONS, *MAKERS))
"""The libraries of the tables, by the names under which they are imported."""
