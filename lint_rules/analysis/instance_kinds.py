"""What PP001 sees beyond `Names`: parameters by their call sites, instances of the module's classes, subclasses,
context managers, and what other modules of the project hold."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from ..tables.blocking_apis import Kind
from .nodes import children, every_node
from .value_kinds import Function, Names, Scope

_CLASS = "class "
_MANAGERS = frozenset({"contextmanager", "asynccontextmanager"})
_DEEPEST = 12


class GuardedNames(Names):
    """The names of one module. Besides the kinds it is given, `class NAME` is an instance of one of the module's own
    classes. `values` are qualified names of other modules that are such a value themselves."""

    def __init__(
        self,
        tree: ast.Module,
        kinds: Mapping[str, Kind],
        makers: Mapping[str, str],
        values: Mapping[str, str],
        package: str,
    ) -> None:
        super().__init__(tree, kinds, makers)
        self._values, self._package = values, package
        self._bases = {
            node.name: node.bases
            for node in every_node(tree)
            if isinstance(node, ast.ClassDef) and node.name in self._classes
        }
        self._names_of = {id(scope): name for name, scope in self._classes.items()}
        self._owners = {id(function.scope): function.owner for function in self.functions}
        self._bind_lambdas_and_parameters(tree)

    def scope_kind(self, expression: ast.expr, scope: Scope, owner: Scope | None) -> str | None:
        """The kind of an expression's value in a scope, or None."""
        return self._kind(expression, scope, owner, 0)

    def scope_of_class(self, name: str) -> Scope | None:
        """The scope of one of the module's classes."""
        return self._classes.get(name)

    def value_of(self, name: str, scope: Scope) -> tuple[ast.expr, Scope] | None:
        """The one value that a name has, with the scope in which it was written; None where there are more."""
        holder = self._holder(name, scope)
        values = holder.values.get(name, []) if holder is not None else []
        return values[0] if len(values) == 1 else None

    def _qualified(self, expression: ast.expr, scope: Scope, depth: int) -> str | None:
        qualified = super()._qualified(expression, scope, depth)
        if qualified is not None and qualified.startswith("."):
            level = len(qualified) - len(qualified.lstrip("."))
            parts = self._package.split(".")
            base = parts[: len(parts) - level + 1] if self._package else []
            return ".".join([*base, qualified.lstrip(".")])
        return qualified

    def _kind(self, expression: ast.expr, scope: Scope, owner: Scope | None, depth: int) -> str | None:
        if depth > _DEEPEST:
            self._cut = True
            return None
        if isinstance(expression, ast.Await):
            return self._kind(expression.value, scope, owner, depth + 1)
        if isinstance(expression, ast.Name) and expression.id in {"self", "cls"} and owner is not None:
            return self._kind_of_class(self._names_of.get(id(owner), ""))
        if isinstance(expression, ast.Name | ast.Attribute):
            qualified = self.qualified(expression, scope)
            if qualified is not None and qualified in self._values:
                return self._values[qualified]
        if isinstance(expression, ast.Attribute):
            held = self._kind(expression.value, scope, owner, depth + 1)
            if held is not None and held.startswith(_CLASS):
                return self._kind_of_member(held.removeprefix(_CLASS), expression.attr, depth + 1)
            if (step := self.about(held).holds.get(expression.attr)) is not None:
                return step
        if isinstance(expression, ast.Call) and (constant := constant_attribute(expression)) is not None:
            return self._kind(constant, scope, owner, depth + 1)
        if (items := self._kind_of_items(expression, scope, owner, depth)) is not None:
            return items
        return super()._kind(expression, scope, owner, depth)

    def _kind_of_items(self, expression: ast.expr, scope: Scope, owner: Scope | None, depth: int) -> str | None:
        """What a display, a comprehension or `list(…)` and its like hold, as a kind of list."""
        match expression:
            case ast.ListComp(elt=one) | ast.GeneratorExp(elt=one) | ast.SetComp(elt=one):
                return self._list_of(self._kind(one, scope, owner, depth + 1))
            case ast.List(elts=[one, *_]) | ast.Tuple(elts=[one, *_]) | ast.Set(elts=[one, *_]):
                return self._list_of(self._kind(one, scope, owner, depth + 1))
            case ast.Call(
                func=ast.Name(id="list" | "sorted" | "tuple" | "set" | "reversed" | "iter"), args=[one, *_]
            ):
                return self._kind(one, scope, owner, depth + 1)
            case ast.Call(func=ast.Name(id="next"), args=[one, *_]):
                held = self._kind(one, scope, owner, depth + 1)
                return self.about(held).items
        return None

    def _list_of(self, kind: str | None) -> str | None:
        return next((name for name, one in self.kinds.items() if kind is not None and one.items == kind), None)

    def _kind_of_call(self, call: ast.Call, scope: Scope, owner: Scope | None, depth: int) -> str | None:
        if isinstance(call.func, ast.Name) and call.func.id in self._classes:
            return self._kind_of_class(call.func.id)
        if self.qualified(call.func, scope) in {"asyncio.to_thread", "anyio.to_thread.run_sync"} and call.args:
            return self._kind(ast.Call(call.args[0], call.args[1:], []), scope, owner, depth + 1)
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"__enter__", "__aenter__", "enter_context"}:
            inner = call.args[0] if call.args else call.func.value
            return self._kind(inner, scope, owner, depth + 1)
        target = self._called(call, scope, owner) or self._method_of_instance(call, scope, owner, depth)
        if target is not None and target.node.returns is None:
            decorated = {ast.unparse(one).rpartition(".")[2] for one in target.node.decorator_list}
            returned, yielded = self.given_back(target)
            for value in yielded if decorated & _MANAGERS else returned:
                if (kind := self._kind(value, target.scope, target.owner, depth + 1)) is not None:
                    return kind
            return None
        if target is not None and target.node.returns is not None:
            return self._annotated(target.node.returns, target.scope)
        return super()._kind_of_call(call, scope, owner, depth)

    def _method_of_instance(self, call: ast.Call, scope: Scope, owner: Scope | None, depth: int) -> Function | None:
        if not isinstance(call.func, ast.Attribute):
            return None
        held = self._kind(call.func.value, scope, owner, depth + 1)
        if held is None or not held.startswith(_CLASS):
            return None
        return self._classes[held.removeprefix(_CLASS)].functions.get(call.func.attr)

    def _kind_of_class(self, name: str, depth: int = 0) -> str | None:
        """What an instance of the module's class is: what a base makes it, else itself."""
        for base in self._bases.get(name, ()):
            qualified = self.qualified(base, self.module)
            if qualified is not None and qualified in self.makers:
                return self.makers[qualified]
            if isinstance(base, ast.Name) and base.id in self._classes and depth < _DEEPEST:
                kind = self._kind_of_class(base.id, depth + 1)
                if kind is not None and not kind.startswith(_CLASS):
                    return kind
        return f"{_CLASS}{name}" if name in self._classes else None

    def _kind_of_member(self, name: str, member: str, depth: int) -> str | None:
        holder = self._classes[name]
        if (method := holder.functions.get(member)) is not None:
            decorated = {ast.unparse(one).rpartition(".")[2] for one in method.node.decorator_list}
            if decorated & {"property", "cached_property"}:
                call = ast.Call(ast.Attribute(ast.Name("self"), member), [], [])
                return self._kind_of_call(call, method.scope, holder, depth)
            return None
        for bound in (f"self.{member}", member):
            if (kind := self._kind_of_bound(holder, bound, member, holder, depth)) is not None:
                return kind
        return None

    def _kind_of_bound(self, holder: Scope, bound: str, name: str, owner: Scope | None, depth: int) -> str | None:
        if depth > _DEEPEST:
            self._cut = True
            return None
        return super()._kind_of_bound(holder, bound, name, owner, depth)

    def _kind_of_values(self, holder: Scope, bound: str, name: str, owner: Scope | None, depth: int) -> str | None:
        """As in `Names`, but one value that is known is enough: an attribute that is None or a client is a client."""
        for annotation in (holder.annotations[one] for one in (bound, name) if one in holder.annotations):
            if (kind := self._annotated(annotation, holder)) is not None:
                return kind
        for value, origin in holder.values.get(bound, []):
            kind = self._kind(value, origin, self._owners.get(id(origin), owner), depth + 1)
            if kind is not None:
                return kind
        if bound in holder.iterated:
            kind = self._kind(holder.iterated[bound], holder, owner, depth + 1)
            return self.about(kind).items
        return None

    def _annotated(self, annotation: ast.expr, scope: Scope) -> str | None:
        if isinstance(annotation, ast.Name) and annotation.id in self._classes:
            return self._kind_of_class(annotation.id)
        if (
            isinstance(annotation, ast.Constant)
            and isinstance(annotation.value, str)
            and annotation.value in self._classes
        ):
            return self._kind_of_class(annotation.value)
        if isinstance(annotation, ast.Subscript):
            inner = annotation.slice.elts[0] if isinstance(annotation.slice, ast.Tuple) else annotation.slice
            outer = ast.unparse(annotation.value).rpartition(".")[2].lower()
            if outer in {"list", "sequence", "iterable", "iterator", "set", "tuple", "collection"}:
                return self._list_of(self._annotated(inner, scope))
            if outer in {
                "iterator",
                "generator",
                "asynciterator",
                "asyncgenerator",
                "annotated",
                "optional",
                "final",
            }:
                return self._annotated(inner, scope)
        return super()._annotated(annotation, scope)

    def _bind_lambdas_and_parameters(self, tree: ast.Module) -> None:
        """Give each parameter without an annotation what the module's own calls pass for it."""
        for scope, owner, body in [
            (self.module, None, tree.body),
            *((one.scope, one.owner, one.node.body) for one in self.functions),
        ]:
            for call in _own_calls(body):
                target = self._called(call, scope, owner) or self._method_of_instance(call, scope, owner, 0)
                if target is None:
                    continue
                arguments = target.node.args
                names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
                decorated = {ast.unparse(one) for one in target.node.decorator_list}
                if target.owner is not None and "staticmethod" not in decorated and names[:1] in (["self"], ["cls"]):
                    names = names[1:]
                passed = [*zip(names, call.args, strict=False)]
                passed += [(one.arg, one.value) for one in call.keywords if one.arg]
                for name, value in passed:
                    if name not in target.scope.annotations:
                        target.scope.bind(name, value, scope)
        self._bound_kinds.clear()  # what was asked on the way was asked too early


def _own_calls(body: list[ast.stmt]) -> list[ast.Call]:
    stack: list[ast.AST] = list(body)
    found = []
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Call):
            found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            stack += children(node)
    return found


def constant_attribute(call: ast.Call) -> ast.Attribute | None:
    """`getattr(value, "name")` as the attribute that it reads; None for any other call."""
    match call:
        case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(name)), *_]):
            return ast.copy_location(ast.Attribute(value, name, ast.Load()), call)
    return None
