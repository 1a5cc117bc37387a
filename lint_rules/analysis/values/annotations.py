"""What a value with an annotation is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from ..syntax import argument, indices, last_name, parsed_annotation
from .bindings import Scope
from .model import Class, Factory, Instance, Many, Named, Own, Pair, Table, Value

if TYPE_CHECKING:
    from .evaluator import Evaluator

_MANY = frozenset(
    {"list", "sequence", "mutablesequence", "iterable", "iterator", "asynciterator", "asynciterable", "generator",
     "asyncgenerator", "set", "frozenset", "collection", "deque", "abstractset", "queue"}
)  # fmt: skip
_TABLES = frozenset({"dict", "mapping", "mutablemapping", "defaultdict", "ordereddict", "weakvaluedictionary"})
_SAME = frozenset(
    {"optional", "classvar", "final", "required", "notrequired", "readonly", "awaitable", "coroutine", "self",
     "initvar", "mapped"}
)  # fmt: skip
_MANAGERS = frozenset(
    {"contextmanager", "abstractcontextmanager", "asynccontextmanager", "abstractasynccontextmanager"}
)
_HOLDERS = frozenset({"contextvar", "ref", "future", "task"})


class Annotations:
    """What the annotations of one module say."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._parsed: dict[cst.BaseExpression, cst.BaseExpression | None] = {}

    def value(self, annotation: cst.BaseExpression, scope: Scope, depth: int = 0) -> Value | None:
        """Return the value that an annotation promises; None if no table and no class of the project knows it."""
        if depth > 8:
            return None
        match annotation:
            case cst.SimpleString() | cst.ConcatenatedString():
                if annotation not in self._parsed:
                    self._parsed[annotation] = parsed_annotation(annotation)
                parsed = self._parsed[annotation]
                return self.value(parsed, scope, depth + 1) if parsed is not None else None
            case cst.BinaryOperation(left=left, operator=cst.BitOr(), right=right):
                return self.value(left, scope, depth + 1) or self.value(right, scope, depth + 1)
            case cst.Subscript():
                return self._generic(annotation, scope, depth + 1)
            case cst.Name() | cst.Attribute():
                return self._plain(annotation, scope, depth + 1)
        return None

    def _plain(self, node: cst.Name | cst.Attribute, scope: Scope, depth: int) -> Value | None:
        value = self._evaluator.value(node, scope)
        if isinstance(value, Class):
            return Own(value.name)
        if isinstance(value, Factory):
            return value.result
        if isinstance(value, Named) and not value.steps:
            kind = self._evaluator.kind_of(value.name)
            return Instance(kind) if kind is not None else None
        return self._alias(node, scope, depth)

    def _alias(self, node: cst.Name | cst.Attribute, scope: Scope, depth: int) -> Value | None:
        """Return what an alias of a type, or a type variable with a bound, stands for."""
        if not isinstance(node, cst.Name):
            return None
        holder = self._evaluator.bindings.holder(node.value, scope)
        for binding in holder.bound.get(node.value, ()) if holder is not None else ():
            if isinstance(binding.value, cst.Call):
                bound = argument(binding.value, None, "bound")
                if last_name(binding.value.func) == "NewType":
                    bound = argument(binding.value, 1, "tp")
                if bound is not None:
                    return self.value(bound, binding.scope, depth)
            elif not binding.steps and binding.value is not node:
                return self.value(binding.value, binding.scope, depth)
        return None

    def _generic(self, node: cst.Subscript, scope: Scope, depth: int) -> Value | None:
        outer = last_name(node.value).lower()
        inner = list(indices(node))
        if not inner:
            return None
        if outer == "annotated":
            return self.value(inner[0], scope, depth) or self._evaluator.parameters.dependency(inner[1:], scope)
        if outer in _MANY:
            return Many(self.value(inner[0], scope, depth))
        if outer in _TABLES:
            return Table(self.value(inner[-1], scope, depth))
        if outer in _MANAGERS:
            return Many(self.value(inner[0], scope, depth), is_manager=True)
        if outer in _SAME or outer == "union":
            values = (self.value(part, scope, depth) for part in inner)
            return next((value for value in values if value is not None), None)
        if outer == "tuple":
            if isinstance(inner[-1], cst.Ellipsis):
                return Many(self.value(inner[0], scope, depth))
            return Pair(tuple(self.value(part, scope, depth) for part in inner))
        if outer in _HOLDERS:
            return Table(self.value(inner[0], scope, depth))
        if outer == "callable":
            return Factory(self.value(inner[-1], scope, depth))
        if outer == "type":
            return Factory(self.value(inner[0], scope, depth))
        return self._plain(node.value, scope, depth) if isinstance(node.value, cst.Name | cst.Attribute) else None
