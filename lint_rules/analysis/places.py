"""Says where in a module an expression stands, while a visitor goes over it."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from .scopes import ModuleScopes, Scope
from .syntax import targets_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands: its scope, and the scope of the class around it. `function` is what it counts for:
    the module-level function, or `Class.method` of a module-level class, that it stands in at any depth; else
    empty."""

    scope: Scope
    owner: Scope | None
    function: str


class PlaceTracker:
    """The place of what a visitor looks at. Call `enter` in `visit_FunctionDef` and `visit_ClassDef`, and `leave` in
    the `leave_` methods."""

    def __init__(self, names: ModuleScopes) -> None:
        self._names = names
        self._stack: list[tuple[Place, bool]] = [(Place(names.module, None, ""), False)]

    @property
    def current(self) -> Place:
        """The place now."""
        return self._stack[-1][0]

    def enter(self, node: cst.FunctionDef | cst.ClassDef) -> None:
        """Go into a definition."""
        place, complete = self._stack[-1]
        path = place.function if complete else f"{place.function}.{node.name.value}".lstrip(".")
        if isinstance(node, cst.FunctionDef):
            function = self._names.function_at[node]
            self._stack.append((Place(function.scope, function.owner, path), True))
        else:
            scope = self._names.class_at[node]
            self._stack.append((Place(scope, scope, path), complete or bool(place.function)))

    def leave(self) -> None:
        """Go out of the definition."""
        self._stack.pop()


def not_read(node: cst.CSTNode) -> list[cst.BaseExpression]:
    """Return the expressions below a node that it writes or deletes, or that are mere names of something, and so are
    not read."""
    match node:
        case cst.For(target=name) | cst.CompFor(target=name) | cst.Del(target=name) | cst.AsName(name=name):
            return [name]
        case cst.Attribute(attr=name) | cst.Arg(keyword=cst.Name() as name):
            return [name]
        case cst.FunctionDef(name=name) | cst.ClassDef(name=name) | cst.Param(name=name):
            return [name]
    return targets_of(node)
