"""Tells of which kind the values in one module are: through imports, makers, annotations and own functions."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from ..tables.kinds import Kind
from .nodes import own_nodes
from .scopes import DEEPEST, Function, ModuleScopes, Scope

_NOTHING = Kind("nothing")
_OPTIONAL = frozenset({"Annotated", "ClassVar", "Final", "Optional"})


class ValueKinds(ModuleScopes):
    """The kinds of the values in one module. `kinds` are those that matter, by name. `makers` are the qualified names
    that make, annotate or are a value, with its kind."""

    def __init__(
        self,
        tree: ast.Module,
        kinds: Mapping[str, Kind],
        makers: Mapping[str, str],
        package: str | None = None,
    ) -> None:
        super().__init__(tree, package)
        self.kinds, self.makers = kinds, makers
        self._results: dict[int, tuple[list[ast.expr], list[ast.expr]]] = {}
        self._cut = False  # whether an answer was given up after DEEPEST steps
        self._bound_kinds: dict[tuple[int, str, int], str | None] = {}

    def about(self, kind: str | None) -> Kind:
        """Return what is known of a kind; nothing if the kind does not matter."""
        return self.kinds.get(kind, _NOTHING) if kind is not None else _NOTHING

    def kind(self, expression: ast.expr, scope: Scope, owner: Scope | None, depth: int = 0) -> str | None:
        """Return the name of the kind of the expression's value, or None. `owner` is the scope of the class around
        the expression, `depth` how many steps were taken so far."""
        if depth > DEEPEST:
            self._cut = True
            return None
        deeper = depth + 1
        match expression:
            case ast.Name(id=name):
                holder = self.holder(name, scope)
                return self._kind_of_bound(holder, name, name, owner, deeper) if holder is not None else None
            case ast.Call():
                return self._kind_of_call(expression, scope, owner, deeper)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if owner is not None:
                return self._kind_of_bound(owner, f"self.{name}", name, owner, deeper)
            case ast.Attribute(value=value, attr=name):
                return self.about(self.kind(value, scope, owner, deeper)).attribute(name)
            case ast.Subscript(value=value):
                return self.about(self.kind(value, scope, owner, deeper)).items
            case ast.NamedExpr(value=value):
                return self.kind(value, scope, owner, deeper)
            case ast.IfExp(body=body, orelse=orelse):
                return self.kind(body, scope, owner, deeper) or self.kind(orelse, scope, owner, deeper)
            case ast.BoolOp(values=values):
                return next((kind for value in values if (kind := self.kind(value, scope, owner, deeper))), None)
        return None

    def returned_and_yielded(self, function: Function) -> tuple[list[ast.expr], list[ast.expr]]:
        """Return the expressions that a function returns, and those that it yields."""
        key = id(function.node)
        if key not in self._results:
            nodes = list(own_nodes(function.node.body))
            self._results[key] = (
                [node.value for node in nodes if isinstance(node, ast.Return) and node.value],
                [node.value for node in nodes if isinstance(node, ast.Yield) and node.value],
            )
        return self._results[key]

    def _kind_of_bound(self, holder: Scope, bound: str, name: str, owner: Scope | None, depth: int) -> str | None:
        """Return the kind of what a scope binds to `bound`: a name, or `self.name`."""
        if depth > DEEPEST:
            self._cut = True
            return None
        key = (id(holder), bound, id(owner))
        if key in self._bound_kinds:
            return self._bound_kinds[key]
        self._bound_kinds[key] = None  # what is made of itself (`query = query.where(…)`) is not known by that
        cut, self._cut = self._cut, False
        kind = self._kind_of_values(holder, bound, name, owner, depth)
        if self._cut and kind is None:
            del self._bound_kinds[key]  # with fewer steps behind it may be known
        else:
            self._bound_kinds[key] = kind
        self._cut = self._cut or cut
        return kind

    def _kind_of_values(self, holder: Scope, bound: str, name: str, owner: Scope | None, depth: int) -> str | None:
        if bound in holder.nonblocking:
            return None
        values = [(value, origin) for value, origin in holder.values.get(bound, []) if not _is_none(value)]
        if values:
            kinds = {self.kind(value, origin, owner, depth) for value, origin in values}
            if len(kinds) == 1 and (kind := kinds.pop()) is not None:
                return kind
        for annotated in (bound, name):
            if annotated in holder.annotations:
                return self._kind_of_annotation(holder.annotations[annotated], holder)
        if bound in holder.iterated and not values:
            return self.about(self.kind(holder.iterated[bound], holder, owner, depth)).items
        return None

    def _kind_of_call(self, call: ast.Call, scope: Scope, owner: Scope | None, depth: int) -> str | None:
        qualified = self.qualified(call.func, scope)
        if qualified is not None:
            return self.makers.get(qualified)
        if isinstance(call.func, ast.Attribute):
            kind = self.kind(call.func.value, scope, owner, depth)
            if kind in self.kinds:
                return self.about(kind).result_of(call.func.attr)
        function = self.called(call, scope, owner)
        if function is None or function.node.name == "__init__":
            return None
        if function.node.returns is not None:
            return self._kind_of_annotation(function.node.returns, function.scope)
        kinds = {
            self.kind(value, function.scope, function.owner, depth)
            for value in self.returned_and_yielded(function)[0]
            if not _is_none(value)
        }
        return kinds.pop() if len(kinds) == 1 else None

    def _kind_of_annotation(self, annotation: ast.expr, scope: Scope) -> str | None:
        match annotation:
            case ast.Constant(value=str(text)):
                try:
                    return self._kind_of_annotation(ast.parse(text, mode="eval").body, scope)
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    return None
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self._kind_of_annotation(left, scope) or self._kind_of_annotation(right, scope)
            case ast.Subscript(value=value, slice=inner) if ast.unparse(value).rpartition(".")[2] in _OPTIONAL:
                first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
                return self._kind_of_annotation(first, scope)
            case ast.Name() | ast.Attribute():
                qualified = self.qualified(annotation, scope)
                return self.makers.get(qualified) if qualified is not None else None
        return None


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
