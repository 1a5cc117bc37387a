"""Adds to `ValueKinds` what PP001 needs: parameters by their call sites, instances of the module's classes,
subclasses, context managers, containers, and values of other modules of the project."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from ..tables.kinds import Kind
from .nodes import FUNCTIONS, decorator_name, every_node, getattr_as_attribute, own_nodes
from .scopes import DEEPEST, Function, Scope
from .value_kinds import ValueKinds

_CLASS = "class "
_MANAGERS = frozenset({"contextmanager", "asynccontextmanager"})
_ENTERS = frozenset({"__enter__", "__aenter__", "enter_context"})
_PROPERTIES = frozenset({"property", "cached_property"})
_THREADS = frozenset({"asyncio.to_thread", "anyio.to_thread.run_sync"})
_CONTAINERS = frozenset({"list", "sequence", "iterable", "iterator", "set", "tuple", "collection"})
_WRAPPERS = frozenset({"iterator", "generator", "asynciterator", "asyncgenerator", "annotated", "optional", "final"})


class InstanceKinds(ValueKinds):
    """The kinds of the values in one module. Besides `kinds`, `class NAME` is an instance of one of the module's own
    classes. `values` are qualified names of other modules that are a value, with its kind."""

    def __init__(
        self,
        tree: ast.Module,
        kinds: Mapping[str, Kind],
        makers: Mapping[str, str],
        values: Mapping[str, str],
        package: str,
    ) -> None:
        super().__init__(tree, kinds, makers, package)
        self._values = values
        self._bases = {
            node.name: node.bases
            for node in every_node(tree)
            if isinstance(node, ast.ClassDef) and node.name in self.classes
        }
        self._names_of = {id(scope): name for name, scope in self.classes.items()}
        self._owners = {id(function.scope): function.owner for function in self.functions}
        self._bind_parameters(tree)

    def value_of(self, name: str, scope: Scope) -> tuple[ast.expr, Scope] | None:
        """Return the only value of a name, with the scope in which it was written; None if there are several."""
        holder = self.holder(name, scope)
        values = holder.values.get(name, []) if holder is not None else []
        return values[0] if len(values) == 1 else None

    def kind(self, expression: ast.expr, scope: Scope, owner: Scope | None, depth: int = 0) -> str | None:
        """See `ValueKinds.kind`."""
        if depth > DEEPEST:
            self._cut = True
            return None
        if isinstance(expression, ast.Await):
            return self.kind(expression.value, scope, owner, depth + 1)
        if isinstance(expression, ast.Name) and expression.id in {"self", "cls"} and owner is not None:
            return self._kind_of_class(self._names_of.get(id(owner), ""))
        if isinstance(expression, ast.Name | ast.Attribute):
            qualified = self.qualified(expression, scope)
            if qualified is not None and qualified in self._values:
                return self._values[qualified]
        if isinstance(expression, ast.Attribute):
            receiver = self.kind(expression.value, scope, owner, depth + 1)
            if receiver is not None and receiver.startswith(_CLASS):
                return self._kind_of_member(receiver.removeprefix(_CLASS), expression.attr, depth + 1)
            if (attribute := self.about(receiver).attribute(expression.attr)) is not None:
                return attribute
        if isinstance(expression, ast.Call) and (attribute_read := getattr_as_attribute(expression)) is not None:
            return self.kind(attribute_read, scope, owner, depth + 1)
        if (items := self._kind_of_container(expression, scope, owner, depth)) is not None:
            return items
        return super().kind(expression, scope, owner, depth)

    def _kind_of_container(self, expression: ast.expr, scope: Scope, owner: Scope | None, depth: int) -> str | None:
        """Return the kind of list that a display, a comprehension or `list(…)` and its like make."""
        match expression:
            case (
                ast.ListComp(elt=item)
                | ast.GeneratorExp(elt=item)
                | ast.SetComp(elt=item)
                | ast.List(elts=[item, *_])
                | ast.Tuple(elts=[item, *_])
                | ast.Set(elts=[item, *_])
            ):
                return self._list_of(self.kind(item, scope, owner, depth + 1))
            case ast.Call(
                func=ast.Name(id="list" | "sorted" | "tuple" | "set" | "reversed" | "iter"), args=[items, *_]
            ):
                return self.kind(items, scope, owner, depth + 1)
            case ast.Call(func=ast.Name(id="next"), args=[items, *_]):
                return self.about(self.kind(items, scope, owner, depth + 1)).items
        return None

    def _list_of(self, kind: str | None) -> str | None:
        return next((name for name, known in self.kinds.items() if kind is not None and known.items == kind), None)

    def _kind_of_call(self, call: ast.Call, scope: Scope, owner: Scope | None, depth: int) -> str | None:
        if isinstance(call.func, ast.Name) and call.func.id in self.classes:
            return self._kind_of_class(call.func.id)
        if self.qualified(call.func, scope) in _THREADS and call.args:
            return self.kind(ast.Call(call.args[0], call.args[1:], []), scope, owner, depth + 1)
        if isinstance(call.func, ast.Attribute) and call.func.attr in _ENTERS:
            manager = call.args[0] if call.args else call.func.value
            return self.kind(manager, scope, owner, depth + 1)
        function = self._function_of(call, scope, owner, depth)
        if function is None:
            return super()._kind_of_call(call, scope, owner, depth)
        if function.node.returns is not None:
            return self._kind_of_annotation(function.node.returns, function.scope)
        returned, yielded = self.returned_and_yielded(function)
        results = returned if _decorators(function).isdisjoint(_MANAGERS) else yielded
        kinds = (self.kind(result, function.scope, function.owner, depth + 1) for result in results)
        return next((kind for kind in kinds if kind is not None), None)

    def _function_of(self, call: ast.Call, scope: Scope, owner: Scope | None, depth: int) -> Function | None:
        """Return the module's function that the call runs, also if it is a method of an instance."""
        function = self.called(call, scope, owner)
        if function is not None or not isinstance(call.func, ast.Attribute):
            return function
        receiver = self.kind(call.func.value, scope, owner, depth + 1)
        if receiver is None or not receiver.startswith(_CLASS):
            return None
        return self.classes[receiver.removeprefix(_CLASS)].functions.get(call.func.attr)

    def _kind_of_class(self, name: str, depth: int = 0) -> str | None:
        """Return what an instance of the module's class is: the kind of a base, else `class NAME`."""
        for base in self._bases.get(name, ()):
            qualified = self.qualified(base, self.module)
            if qualified is not None and qualified in self.makers:
                return self.makers[qualified]
            if isinstance(base, ast.Name) and base.id in self.classes and depth < DEEPEST:
                kind = self._kind_of_class(base.id, depth + 1)
                if kind is not None and not kind.startswith(_CLASS):
                    return kind
        return f"{_CLASS}{name}" if name in self.classes else None

    def _kind_of_member(self, name: str, member: str, depth: int) -> str | None:
        holder = self.classes[name]
        if (method := holder.functions.get(member)) is not None:
            if _decorators(method).isdisjoint(_PROPERTIES):
                return None
            read = ast.Call(ast.Attribute(ast.Name("self"), member), [], [])
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

    def _kind_of_annotation(self, annotation: ast.expr, scope: Scope) -> str | None:
        match annotation:
            case ast.Name(id=str(name)) | ast.Constant(value=str(name)) if name in self.classes:
                return self._kind_of_class(name)
            case ast.Subscript(value=value, slice=index):
                inner = index.elts[0] if isinstance(index, ast.Tuple) and index.elts else index
                outer = ast.unparse(value).rpartition(".")[2].lower()
                if outer in _CONTAINERS:
                    return self._list_of(self._kind_of_annotation(inner, scope))
                if outer in _WRAPPERS:
                    return self._kind_of_annotation(inner, scope)
        return super()._kind_of_annotation(annotation, scope)

    def _bind_parameters(self, tree: ast.Module) -> None:
        """Give each parameter without an annotation what the module's own calls pass for it."""
        bodies: list[tuple[Scope, Scope | None, list[ast.stmt]]] = [(self.module, None, tree.body)]
        bodies += [(function.scope, function.owner, function.node.body) for function in self.functions]
        for scope, owner, body in bodies:
            for call in own_nodes(body, (*FUNCTIONS, ast.ClassDef)):
                if isinstance(call, ast.Call):
                    function = self._function_of(call, scope, owner, 0)
                    if function is not None:
                        _bind_arguments(call, function, scope)
        self._bound_kinds.clear()  # these answers were given before all parameters were bound


def _bind_arguments(call: ast.Call, function: Function, scope: Scope) -> None:
    arguments = function.node.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    if (
        function.owner is not None
        and names[:1] in (["self"], ["cls"])
        and "staticmethod" not in _decorators(function)
    ):
        names = names[1:]
    passed = [*zip(names, call.args, strict=False)]
    passed += [(keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg]
    for name, value in passed:
        if name not in function.scope.annotations:
            function.scope.bind(name, value, scope)


def _decorators(function: Function) -> set[str]:
    return {decorator_name(decorator) for decorator in function.node.decorator_list}
