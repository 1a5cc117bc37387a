"""Tells of which kind the values in one module are: through imports, makers, annotations and own functions."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from ..tables.kinds import Kind
from .scopes import DEEPEST, Function, ModuleScopes, Scope
from .syntax import indices, last_name, own_nodes, parsed_annotation

_NOTHING = Kind("nothing")
_OPTIONAL = frozenset({"Annotated", "ClassVar", "Final", "Optional"})


class ValueKinds(ModuleScopes):
    """The kinds of the values in one module. `kinds` are those that matter, by name. `makers` are the qualified names
    that make, annotate or are a value, with its kind."""

    def __init__(
        self,
        tree: cst.Module,
        kinds: Mapping[str, Kind],
        makers: Mapping[str, str],
        package: str | None = None,
    ) -> None:
        super().__init__(tree, package)
        self.kinds, self.makers = kinds, makers
        self._results: dict[cst.FunctionDef, tuple[list[cst.BaseExpression], list[cst.BaseExpression]]] = {}
        self._cut = False  # whether an answer was given up after DEEPEST steps
        self._bound_kinds: dict[tuple[int, str, int], str | None] = {}

    def about(self, kind: str | None) -> Kind:
        """Return what is known of a kind; nothing if the kind does not matter."""
        return self.kinds.get(kind, _NOTHING) if kind is not None else _NOTHING

    def kind(self, expression: cst.BaseExpression, scope: Scope, owner: Scope | None, depth: int = 0) -> str | None:
        """Return the name of the kind of the expression's value, or None. `owner` is the scope of the class around
        the expression, `depth` how many steps were taken so far."""
        if depth > DEEPEST:
            self._cut = True
            return None
        deeper = depth + 1
        match expression:
            case cst.Name(value=name):
                holder = self.holder(name, scope)
                return self._kind_of_bound(holder, name, name, owner, deeper) if holder is not None else None
            case cst.Call():
                return self._kind_of_call(expression, scope, owner, deeper)
            case cst.Attribute(value=cst.Name(value="self" | "cls"), attr=cst.Name(value=name)) if owner is not None:
                return self._kind_of_bound(owner, f"self.{name}", name, owner, deeper)
            case cst.Attribute(value=value, attr=cst.Name(value=name)):
                return self.about(self.kind(value, scope, owner, deeper)).attribute(name)
            case cst.Subscript(value=value):
                return self.about(self.kind(value, scope, owner, deeper)).items
            case cst.NamedExpr(value=value):
                return self.kind(value, scope, owner, deeper)
            case cst.IfExp(body=left, orelse=right) | cst.BooleanOperation(left=left, right=right):
                return self.kind(left, scope, owner, deeper) or self.kind(right, scope, owner, deeper)
        return None

    def returned_and_yielded(self, function: Function) -> tuple[list[cst.BaseExpression], list[cst.BaseExpression]]:
        """Return the expressions that a function returns, and those that it yields."""
        if function.node not in self._results:
            nodes = list(own_nodes([function.node.body]))
            self._results[function.node] = (
                [node.value for node in nodes if isinstance(node, cst.Return) and node.value is not None],
                [
                    node.value
                    for node in nodes
                    if isinstance(node, cst.Yield) and isinstance(node.value, cst.BaseExpression)
                ],
            )
        return self._results[function.node]

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

    def _kind_of_call(self, call: cst.Call, scope: Scope, owner: Scope | None, depth: int) -> str | None:
        qualified = self.qualified(call.func, scope)
        if qualified is not None:
            return self.makers.get(qualified) if not _is_datagram(call) else None
        if isinstance(call.func, cst.Name) and self.holder(call.func.value, scope) is None:
            return self.makers.get(f"builtins.{call.func.value}")
        if isinstance(call.func, cst.Attribute):
            kind = self.kind(call.func.value, scope, owner, depth)
            if kind in self.kinds:
                return self.about(kind).result_of(call.func.attr.value)
        function = self.called(call, scope, owner)
        if function is None or function.name == "__init__":
            return None
        if function.node.returns is not None:
            return self._kind_of_annotation(function.node.returns.annotation, function.scope)
        kinds = {
            self.kind(value, function.scope, function.owner, depth)
            for value in self.returned_and_yielded(function)[0]
            if not _is_none(value)
        }
        return kinds.pop() if len(kinds) == 1 else None

    def _kind_of_annotation(self, annotation: cst.BaseExpression, scope: Scope) -> str | None:
        match annotation:
            case cst.SimpleString() | cst.ConcatenatedString():
                parsed = parsed_annotation(annotation)
                return self._kind_of_annotation(parsed, scope) if parsed is not None else None
            case cst.BinaryOperation(left=left, operator=cst.BitOr(), right=right):
                return self._kind_of_annotation(left, scope) or self._kind_of_annotation(right, scope)
            case cst.Subscript(value=value) if last_name(value) in _OPTIONAL:
                first = next(indices(annotation), None)
                return self._kind_of_annotation(first, scope) if first is not None else None
            case cst.Name() | cst.Attribute():
                qualified = self.qualified(annotation, scope)
                return self.makers.get(qualified) if qualified is not None else None
        return None


def _is_datagram(call: cst.Call) -> bool:
    """Return whether a call makes a socket whose `connect` and `send` only note an address or fill a buffer."""
    return any(last_name(item.value) == "SOCK_DGRAM" for item in call.args)


def _is_none(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"
