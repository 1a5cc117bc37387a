"""Says where in a module an expression stands, while a visitor goes over it."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from .syntax import targets_of
from .values.bindings import ModuleBindings, Scope

_NAMING = frozenset(
    {cst.AnnAssign, cst.Arg, cst.AsName, cst.Assign, cst.Attribute, cst.AugAssign, cst.ClassDef, cst.CompFor, cst.Del,
     cst.For, cst.FunctionDef, cst.NamedExpr, cst.Param}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands: its scope, and the function that it counts for: the module-level function, or
    `Class.method` of a module-level class, that it stands in at any depth; else empty."""

    scope: Scope
    function: str


class PlaceTracker:
    """The place of what a visitor looks at. Call `enter` in the `visit_` methods of functions, classes and lambdas,
    and `leave` in their `leave_` methods."""

    def __init__(self, bindings: ModuleBindings) -> None:
        self._bindings = bindings
        self._stack: list[tuple[Place, bool]] = [(Place(bindings.module, ""), False)]

    @property
    def current(self) -> Place:
        """The place now."""
        return self._stack[-1][0]

    def enter(self, node: cst.FunctionDef | cst.ClassDef | cst.Lambda) -> None:
        """Go into a definition."""
        place, complete = self._stack[-1]
        scope = self._bindings.scope_at[node]
        if isinstance(node, cst.Lambda):
            self._stack.append((Place(scope, place.function), complete))
            return
        path = place.function if complete else f"{place.function}.{node.name.value}".lstrip(".")
        complete = complete or isinstance(node, cst.FunctionDef) or bool(place.function)
        self._stack.append((Place(scope, path), complete))

    def leave(self) -> None:
        """Go out of the definition."""
        self._stack.pop()


def not_read(node: cst.CSTNode) -> list[cst.BaseExpression]:
    """Return the expressions below a node that it writes or deletes, or that are mere names of something, and so are
    not read."""
    if type(node) not in _NAMING:
        return []
    match node:
        case cst.For(target=name) | cst.CompFor(target=name) | cst.Del(target=name) | cst.AsName(name=name):
            return [name]
        case cst.Attribute(attr=name) | cst.Arg(keyword=cst.Name() as name):
            return [name]
        case cst.FunctionDef(name=name) | cst.ClassDef(name=name) | cst.Param(name=name):
            return [name]
    return targets_of(node)
