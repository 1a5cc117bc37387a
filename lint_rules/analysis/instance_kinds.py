"""Adds to `ValueKinds` what PP001 needs: parameters by their call sites, instances of the module's classes,
subclasses, context managers, containers, and values of other modules of the project."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from ..tables.kinds import Kind
from .scopes import DEEPEST, Function, Scope
from .syntax import (
    COMPREHENSIONS,
    decorator_name,
    elements,
    getattr_as_attribute,
    indices,
    last_name,
    own_nodes,
    positional,
    string_value,
)
from .value_kinds import ValueKinds

_CLASS = "class "
_MANAGERS = frozenset({"contextmanager", "asynccontextmanager"})
_ENTERS = frozenset({"__enter__", "__aenter__", "enter_context"})
_PROPERTIES = frozenset({"property", "cached_property"})
_HOLDERS = frozenset({"contextlib.closing", "contextlib.nullcontext"})
_THREADS = frozenset({"asyncio.to_thread", "anyio.to_thread.run_sync"})
_CONTAINERS = frozenset({"list", "sequence", "iterable", "iterator", "set", "tuple", "collection"})
_WRAPPERS = frozenset({"iterator", "generator", "asynciterator", "asyncgenerator", "annotated", "optional", "final"})


class InstanceKinds(ValueKinds):
    """The kinds of the values in one module. Besides `kinds`, `class NAME` is an instance of one of the module's own
    classes. `values` are qualified names of other modules that are a value, with its kind."""

    def __init__(
        self,
        tree: cst.Module,
        kinds: Mapping[str, Kind],
        makers: Mapping[str, str],
        values: Mapping[str, str],
        package: str,
    ) -> None:
        super().__init__(tree, kinds, makers, package)
        self._values = values
        self._bases = {
            node.name.value: [base.value for base in node.bases]
            for node in self.class_at
            if node.name.value in self.classes
        }
        self._names_of = {id(scope): name for name, scope in self.classes.items()}
        self._owners = {id(function.scope): function.owner for function in self.functions}
        self._bind_parameters(tree)

    def value_of(self, name: str, scope: Scope) -> tuple[cst.BaseExpression, Scope] | None:
        """Return the only value of a name, with the scope in which it was written; None if there are several."""
        holder = self.holder(name, scope)
        values = holder.values.get(name, []) if holder is not None else []
        return values[0] if len(values) == 1 else None

    def kind(self, expression: cst.BaseExpression, scope: Scope, owner: Scope | None, depth: int = 0) -> str | None:
        """See `ValueKinds.kind`."""
        if depth > DEEPEST:
            self._cut = True
            return None
        if isinstance(expression, cst.Await):
            return self.kind(expression.expression, scope, owner, depth + 1)
        if isinstance(expression, cst.Name) and expression.value in {"self", "cls"} and owner is not None:
            return self._kind_of_class(self._names_of.get(id(owner), ""))
        if isinstance(expression, cst.Name | cst.Attribute):
            qualified = self.qualified(expression, scope)
            if qualified is not None and qualified in self._values:
                return self._values[qualified]
        if isinstance(expression, cst.Attribute):
            receiver = self.kind(expression.value, scope, owner, depth + 1)
            if receiver is not None and receiver.startswith(_CLASS):
                return self._kind_of_member(receiver.removeprefix(_CLASS), expression.attr.value, depth + 1)
            if (attribute := self.about(receiver).attribute(expression.attr.value)) is not None:
                return attribute
        if isinstance(expression, cst.Call) and (attribute_read := getattr_as_attribute(expression)) is not None:
            return self.kind(attribute_read, scope, owner, depth + 1)
        if (items := self._kind_of_container(expression, scope, owner, depth)) is not None:
            return items
        return super().kind(expression, scope, owner, depth)

    def _kind_of_container(
        self, expression: cst.BaseExpression, scope: Scope, owner: Scope | None, depth: int
    ) -> str | None:
        """Return the kind of list that a display, a comprehension or `list(…)` and its like make."""
        if isinstance(expression, COMPREHENSIONS) and not isinstance(expression, cst.DictComp):
            return self._list_of(self.kind(expression.elt, scope, owner, depth + 1))
        if items := elements(expression):
            return self._list_of(self.kind(items[0], scope, owner, depth + 1))
        match expression:
            case cst.Call(func=cst.Name(value="list" | "sorted" | "tuple" | "set" | "reversed" | "iter")):
                values = positional(expression)
                return self.kind(values[0], scope, owner, depth + 1) if values else None
            case cst.Call(func=cst.Name(value="next")):
                values = positional(expression)
                return self.about(self.kind(values[0], scope, owner, depth + 1)).items if values else None
        return None

    def _list_of(self, kind: str | None) -> str | None:
        return next((name for name, known in self.kinds.items() if kind is not None and known.items == kind), None)

    def _kind_of_call(self, call: cst.Call, scope: Scope, owner: Scope | None, depth: int) -> str | None:
        if isinstance(call.func, cst.Name) and call.func.value in self.classes:
            return self._kind_of_class(call.func.value)
        if self.qualified(call.func, scope) in _HOLDERS and call.args:
            return self.kind(call.args[0].value, scope, owner, depth + 1)
        if self.qualified(call.func, scope) in _THREADS and call.args:
            return self.kind(cst.Call(call.args[0].value, call.args[1:]), scope, owner, depth + 1)
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in _ENTERS:
            manager = call.args[0].value if call.args else call.func.value
            return self.kind(manager, scope, owner, depth + 1)
        function = self.function_of(call, scope, owner, depth)
        if function is None:
            return super()._kind_of_call(call, scope, owner, depth)
        if function.node.returns is not None:
            return self._kind_of_annotation(function.node.returns.annotation, function.scope)
        returned, yielded = self.returned_and_yielded(function)
        results = returned if _decorators(function).isdisjoint(_MANAGERS) else yielded
        kinds = (self.kind(result, function.scope, function.owner, depth + 1) for result in results)
        return next((kind for kind in kinds if kind is not None), None)

    def function_of(self, call: cst.Call, scope: Scope, owner: Scope | None, depth: int = 0) -> Function | None:
        """Return the module's function that the call runs, also if it is a method of an instance."""
        function = self.called(call, scope, owner)
        if function is not None or not isinstance(call.func, cst.Attribute):
            return function
        receiver = self.kind(call.func.value, scope, owner, depth + 1)
        if receiver is None or not receiver.startswith(_CLASS):
            return None
        return self.classes[receiver.removeprefix(_CLASS)].functions.get(call.func.attr.value)

    def _kind_of_class(self, name: str, depth: int = 0) -> str | None:
        """Return what an instance of the module's class is: the kind of a base, else `class NAME`."""
        for base in self._bases.get(name, ()):
            qualified = self.qualified(base, self.module)
            if qualified is not None and qualified in self.makers:
                return self.makers[qualified]
            if isinstance(base, cst.Name) and base.value in self.classes and depth < DEEPEST:
                kind = self._kind_of_class(base.value, depth + 1)
                if kind is not None and not kind.startswith(_CLASS):
                    return kind
        return f"{_CLASS}{name}" if name in self.classes else None

    def _kind_of_member(self, name: str, member: str, depth: int) -> str | None:
        holder = self.classes[name]
        if (method := holder.functions.get(member)) is not None:
            if _decorators(method).isdisjoint(_PROPERTIES):
                return None
            read = cst.Call(cst.Attribute(cst.Name("self"), cst.Name(member)))
            return self._kind_of_call(read, method.scope, holder, depth)
        return self._kind_of_bound(holder, f"self.{member}", member, holder, depth) or self._kind_of_bound(
            holder, member, member, holder, depth
        )

    def _kind_of_values(self, holder: Scope, bound: str, name: str, owner: Scope | None, depth: int) -> str | None:
        """See `ValueKinds`, but one known value is enough: an attribute that is None or a client is a client."""
        for annotation in (holder.annotations[key] for key in (bound, name) if key in holder.annotations):
            if (kind := self._kind_of_annotation(annotation, holder)) is not None:
                return kind
        for value, origin in holder.values.get(bound, []):
            kind = self.kind(value, origin, self._owners.get(id(origin), owner), depth + 1)
            if kind is not None:
                return kind
        if bound in holder.iterated:
            return self.about(self.kind(holder.iterated[bound], holder, owner, depth + 1)).items
        return None

    def _kind_of_annotation(self, annotation: cst.BaseExpression, scope: Scope) -> str | None:
        name = annotation.value if isinstance(annotation, cst.Name) else string_value(annotation)
        if name in self.classes:
            return self._kind_of_class(name)
        if isinstance(annotation, cst.Subscript):
            inner, outer = next(indices(annotation), None), last_name(annotation.value).lower()
            if inner is not None and outer in _CONTAINERS:
                return self._list_of(self._kind_of_annotation(inner, scope))
            if inner is not None and outer in _WRAPPERS:
                return self._kind_of_annotation(inner, scope)
        return super()._kind_of_annotation(annotation, scope)

    def _bind_parameters(self, tree: cst.Module) -> None:
        """Give each parameter without an annotation what the module's own calls pass for it."""
        bodies: list[tuple[Scope, Scope | None, cst.CSTNode]] = [(self.module, None, tree)]
        bodies += [(function.scope, function.owner, function.node.body) for function in self.functions]
        for scope, owner, body in bodies:
            for call in own_nodes([body], (cst.FunctionDef, cst.ClassDef)):
                if isinstance(call, cst.Call):
                    function = self.function_of(call, scope, owner, 0)
                    if function is not None:
                        _bind_arguments(call, function, scope)
        self._bound_kinds.clear()  # these answers were given before all parameters were bound


def _bind_arguments(call: cst.Call, function: Function, scope: Scope) -> None:
    params = function.node.params
    names = [parameter.name.value for parameter in (*params.posonly_params, *params.params)]
    if (
        function.owner is not None
        and names[:1] in (["self"], ["cls"])
        and "staticmethod" not in _decorators(function)
    ):
        names = names[1:]
    passed = [*zip(names, positional(call), strict=False)]
    passed += [(item.keyword.value, item.value) for item in call.args if item.keyword is not None]
    for name, value in passed:
        if name not in function.scope.annotations:
            function.scope.bind(name, value, scope)


def _decorators(function: Function) -> set[str]:
    return {decorator_name(decorator) for decorator in function.node.decorators}
