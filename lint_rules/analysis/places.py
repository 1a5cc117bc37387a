"""Goes over every expression of a module and says where each stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .instance_kinds import InstanceKinds
from .nodes import FUNCTIONS, children
from .scopes import Scope


@dataclass(frozen=True, slots=True)
class Place:
    """An expression with its scope and the scope of the class around it. `function` is what it counts for: the
    module-level function, or `Class.method` of a module-level class, that it stands in at any depth; else empty."""

    node: ast.expr
    scope: Scope
    owner: Scope | None
    function: str


def places(tree: ast.Module, names: InstanceKinds) -> Iterator[Place]:
    """Yield every expression of the module, in the order of the source."""
    functions = {id(function.node): function for function in names.functions}
    stack: list[tuple[ast.AST, Scope, Scope | None, tuple[str, ...], bool]] = [
        (child, names.module, None, (), False) for child in reversed(tree.body)
    ]
    while stack:
        node, scope, owner, path, complete = stack.pop()
        if isinstance(node, ast.expr):
            yield Place(node, scope, owner, ".".join(path))
        elif isinstance(node, FUNCTIONS):
            function = functions[id(node)]
            scope, owner = function.scope, function.owner
            path, complete = (path, complete) if complete else ((*path, node.name), True)
        elif isinstance(node, ast.ClassDef):
            scope = names.classes.get(node.name, scope)
            owner = scope if scope.is_class else owner
            path, complete = (path, complete) if complete else ((*path, node.name), bool(path))
        stack += [(child, scope, owner, path, complete) for child in children(node)]
