"""Which value a name stands for in one module, as far as a rule needs it: imports, makers, the module's functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..tables.blocking_apis import BUILTINS, KINDS, MAKERS, Kind
from .nodes import children

FUNCTION_NODES: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CLOSED = (*_FUNCTIONS, ast.Lambda, ast.ClassDef)
_BINDS = frozenset(
    {ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.withitem, ast.For, ast.AsyncFor,
     ast.comprehension, ast.ExceptHandler, ast.Call}
)  # fmt: skip
_UNKNOWN = ast.Constant(...)
_NOTHING = Kind("nothing")
_OPTIONAL = frozenset({"Annotated", "ClassVar", "Final", "Optional"})
_DEEPEST = 12
"""Steps from a name to its value, after which it counts as unknown."""


@dataclass(slots=True)
class Scope:
    """The names of a module, a class or a function. `values` holds every value that is bound to a name, with the
    scope in which it was written."""

    parent: Scope | None
    is_class: bool = False
    imports: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[tuple[ast.expr, Scope]]] = field(default_factory=dict)
    iterated: dict[str, ast.expr] = field(default_factory=dict)
    annotations: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    nonblocking: set[str] = field(default_factory=set)

    def bind(self, name: str, value: ast.expr, origin: Scope | None = None) -> None:
        """One more value for the name, written in the scope `origin` (this one, unless it is given)."""
        self.values.setdefault(name, []).append((value, origin or self))

    def holds(self, name: str) -> bool:
        """Whether the name is bound here."""
        return (
            name in self.imports
            or name in self.values
            or name in self.functions
            or name in self.annotations
            or name in self.iterated
        )


@dataclass(frozen=True, slots=True)
class Function:
    """A function with its own scope, and the scope of its class where it is a method."""

    node: FUNCTION_NODES
    scope: Scope
    owner: Scope | None

    def __hash__(self) -> int:
        return id(self.node)


class Names:
    """All scopes of one module. `kinds` are the sorts of values that matter, `makers` the qualified names that make,
    annotate or are one."""

    def __init__(
        self, tree: ast.Module, kinds: Mapping[str, Kind] = KINDS, makers: Mapping[str, str] = MAKERS
    ) -> None:
        self.kinds, self.makers = kinds, makers
        self.module = Scope(None)
        self.functions: list[Function] = []
        self._classes: dict[str, Scope] = {}
        self._given_back: dict[int, tuple[list[ast.expr], list[ast.expr]]] = {}
        self._cut = False  # whether an answer was given up at `_DEEPEST` steps
        self._bound_kinds: dict[tuple[int, str, int], str | None] = {}
        self._visit(tree, self.module, None)

    def about(self, kind: str | None) -> Kind:
        """What is known of a kind; of one that does not matter, nothing."""
        return self.kinds.get(kind, _NOTHING) if kind is not None else _NOTHING

    def qualified(self, expression: ast.expr, scope: Scope) -> str | None:
        """The dotted name of what was imported, through aliases; None for what was not."""
        return self._qualified(expression, scope, 0)

    def is_builtin(self, name: str, scope: Scope) -> bool:
        """Whether the name means Python's own."""
        return name in BUILTINS and self._holder(name, scope) is None

    def kind(self, expression: ast.expr, function: Function) -> str | None:
        """The name of the kind that the expression's value is of, or None."""
        return self._kind(expression, function.scope, function.owner, 0)

    def called(self, call: ast.Call, caller: Function) -> Function | None:
        """The module's own function that the call runs."""
        return self._called(call, caller.scope, caller.owner)

    def given_back(self, function: Function) -> tuple[list[ast.expr], list[ast.expr]]:
        """What the function returns, and what it yields."""
        key = id(function.node)
        if key not in self._given_back:
            nodes = list(own_nodes(function.node))
            self._given_back[key] = (
                [one.value for one in nodes if isinstance(one, ast.Return) and one.value],
                [one.value for one in nodes if isinstance(one, ast.Yield) and one.value],
            )
        return self._given_back[key]

    def _called(self, call: ast.Call, scope: Scope, owner: Scope | None) -> Function | None:
        target = call.func
        if isinstance(target, ast.Name):
            holder = self._holder(target.id, scope)
            if holder is not None and target.id in holder.functions and target.id not in holder.values:
                return holder.functions[target.id]
            if target.id in self._classes:
                return self._classes[target.id].functions.get("__init__")
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            if target.value.id in ("self", "cls") and owner is not None:
                return owner.functions.get(target.attr)
            if target.value.id in self._classes and self._holder(target.value.id, scope) is None:
                return self._classes[target.value.id].functions.get(target.attr)
        return None

    def _holder(self, name: str, scope: Scope | None) -> Scope | None:
        first = True
        while scope is not None:
            if scope.holds(name) and (first or not scope.is_class):
                return scope
            scope, first = scope.parent, False
        return None

    def _qualified(self, expression: ast.expr, scope: Scope, depth: int) -> str | None:
        parts: list[str] = []
        while isinstance(expression, ast.Attribute):
            parts.append(expression.attr)
            expression = expression.value
        if not isinstance(expression, ast.Name) or depth > _DEEPEST:
            return None
        holder = self._holder(expression.id, scope)
        if holder is None:
            return None
        base = holder.imports.get(expression.id)
        if base is None or expression.id in holder.values:
            values = holder.values.get(expression.id, [])
            if len(values) != 1 or not isinstance(values[0][0], ast.Name | ast.Attribute) or base is not None:
                return None
            base = self._qualified(*values[0], depth + 1)
            if base is None:
                return None
        return ".".join([base, *reversed(parts)])

    def _kind(self, expression: ast.expr, scope: Scope, owner: Scope | None, depth: int) -> str | None:
        if depth > _DEEPEST:
            self._cut = True
            return None
        match expression:
            case ast.Name(id=name):
                return self._kind_of_name(name, scope, owner, depth + 1)
            case ast.Call():
                return self._kind_of_call(expression, scope, owner, depth + 1)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if owner is not None:
                return self._kind_of_bound(owner, f"self.{name}", name, owner, depth + 1)
            case ast.Attribute(value=value, attr=name):
                kind = self._kind(value, scope, owner, depth + 1)
                return _step(self.about(kind).holds, name)
            case ast.Subscript(value=value):
                kind = self._kind(value, scope, owner, depth + 1)
                return self.about(kind).items
            case ast.NamedExpr(value=value):
                return self._kind(value, scope, owner, depth + 1)
            case ast.IfExp(body=body, orelse=orelse):
                return self._kind(body, scope, owner, depth + 1) or self._kind(orelse, scope, owner, depth + 1)
            case ast.BoolOp(values=values):
                return next((kind for value in values if (kind := self._kind(value, scope, owner, depth + 1))), None)
        return None

    def _kind_of_name(self, name: str, scope: Scope, owner: Scope | None, depth: int) -> str | None:
        holder = self._holder(name, scope)
        return self._kind_of_bound(holder, name, name, owner, depth) if holder is not None else None

    def _kind_of_bound(self, holder: Scope, bound: str, name: str, owner: Scope | None, depth: int) -> str | None:
        key = (id(holder), bound, id(owner))
        if key in self._bound_kinds:
            return self._bound_kinds[key]
        self._bound_kinds[key] = None  # what is made of itself (`query = query.where(…)`) is not known by that
        cut, self._cut = self._cut, False
        kind = self._kind_of_values(holder, bound, name, owner, depth)
        if self._cut and kind is None:
            del self._bound_kinds[key]  # asked from nearer it may be known
        else:
            self._bound_kinds[key] = kind
        self._cut = self._cut or cut
        return kind

    def _kind_of_values(self, holder: Scope, bound: str, name: str, owner: Scope | None, depth: int) -> str | None:
        if bound in holder.nonblocking:
            return None
        values = [(value, origin) for value, origin in holder.values.get(bound, []) if not _is_none(value)]
        if values:
            kinds = {self._kind(value, origin, owner, depth) for value, origin in values}
            if len(kinds) == 1 and (kind := kinds.pop()) is not None:
                return kind
        for annotated in {bound, name}:
            if annotated in holder.annotations:
                return self._annotated(holder.annotations[annotated], holder)
        if bound in holder.iterated and not values:
            kind = self._kind(holder.iterated[bound], holder, owner, depth)
            return self.about(kind).items
        return None

    def _kind_of_call(self, call: ast.Call, scope: Scope, owner: Scope | None, depth: int) -> str | None:
        qualified = self.qualified(call.func, scope)
        if qualified is not None:
            return self.makers.get(qualified)
        if isinstance(call.func, ast.Attribute):
            kind = self._kind(call.func.value, scope, owner, depth)
            if kind in self.kinds:
                return _step(self.about(kind).gives, call.func.attr)
        made_here = self._called(call, scope, owner)
        if made_here is None or made_here.node.name == "__init__":
            return None
        if made_here.node.returns is not None:
            return self._annotated(made_here.node.returns, made_here.scope)
        kinds = {
            self._kind(value, made_here.scope, made_here.owner, depth)
            for value in self.given_back(made_here)[0]
            if not _is_none(value)
        }
        return kinds.pop() if len(kinds) == 1 else None

    def _annotated(self, annotation: ast.expr, scope: Scope) -> str | None:
        match annotation:
            case ast.Constant(value=str(text)):
                try:
                    return self._annotated(ast.parse(text, mode="eval").body, scope)
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    return None
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self._annotated(left, scope) or self._annotated(right, scope)
            case ast.Subscript(value=value, slice=inner) if ast.unparse(value).rpartition(".")[2] in _OPTIONAL:
                return self._annotated(inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner, scope)
            case ast.Name() | ast.Attribute():
                qualified = self.qualified(annotation, scope)
                return self.makers.get(qualified) if qualified is not None else None
        return None

    def _visit(self, node: ast.AST, scope: Scope, owner: Scope | None) -> None:
        stack = children(node)
        while stack:
            child = stack.pop()
            if isinstance(child, _FUNCTIONS):
                self._function(child, scope)
            elif isinstance(child, ast.ClassDef):
                inner = Scope(scope, is_class=True)
                if not scope.is_class:
                    self._classes[child.name] = inner
                self._visit(child, inner, inner)
            elif isinstance(child, ast.Lambda):
                continue
            else:
                if type(child) in _BINDS:
                    self._bindings(child, scope, owner)
                stack += children(child)

    def _function(self, node: FUNCTION_NODES, scope: Scope) -> None:
        inner = Scope(scope)
        function = Function(node, inner, scope if scope.is_class else self._owner_of(scope))
        scope.functions[node.name] = function
        self.functions.append(function)
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            inner.bind(argument.arg, _UNKNOWN)
            if argument.annotation is not None:
                inner.annotations[argument.arg] = argument.annotation
                inner.values[argument.arg].clear()
        for star in (arguments.vararg, arguments.kwarg):
            if star is not None:
                inner.bind(star.arg, _UNKNOWN)
        body = ast.Module(body=node.body, type_ignores=[])
        self._visit(body, inner, function.owner)

    def _owner_of(self, scope: Scope) -> Scope | None:
        return next((function.owner for function in self.functions if function.scope is scope), None)

    def _bindings(self, node: ast.AST, scope: Scope, owner: Scope | None) -> None:  # noqa: PLR0912 - one arm a statement
        match node:
            case ast.Import(names=names):
                for alias in names:
                    top = alias.name.partition(".")[0]
                    scope.imports[alias.asname or top] = alias.name if alias.asname else top
            case ast.ImportFrom(names=names, module=module, level=level):
                for alias in names:
                    scope.imports[alias.asname or alias.name] = f"{'.' * level}{module or ''}.{alias.name}"
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    _bind(target, value, scope, owner)
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                if (name := _bindable(target)) is not None:
                    holder = owner if name.startswith("self.") and owner is not None else scope
                    holder.annotations[name] = annotation
                if value is not None:
                    _bind(target, value, scope, owner)
            case ast.NamedExpr(target=target, value=value):
                _bind(target, value, scope, owner)
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                _bind(target, value, scope, owner)
            case (
                ast.For(target=ast.Name(id=name), iter=iterable)
                | ast.comprehension(target=ast.Name(id=name), iter=iterable)
            ):
                scope.iterated[name] = iterable
            case ast.For(target=target) | ast.AsyncFor(target=target) | ast.comprehension(target=target):
                _bind(target, _UNKNOWN, scope, owner)
            case ast.ExceptHandler(name=str(name)):
                scope.bind(name, _UNKNOWN)
            case ast.Call(
                func=ast.Attribute(value=ast.expr() as held, attr="setblocking" | "settimeout"),
                args=[ast.Constant(value=0)],
            ):
                if (name := _bindable(held)) is not None:
                    (owner if name.startswith("self.") and owner is not None else scope).nonblocking.add(name)


def own_nodes(function: FUNCTION_NODES) -> Iterator[ast.AST]:
    """What runs when the function does: its nodes without the bodies of functions, classes and lambdas inside it."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _CLOSED):
            stack += children(node)


def _bind(target: ast.expr, value: ast.expr, scope: Scope, owner: Scope | None) -> None:
    if isinstance(target, ast.Tuple | ast.List):
        pairs = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        for index, item in enumerate(target.elts):
            _bind(
                item,
                value.elts[index] if pairs and isinstance(value, ast.Tuple | ast.List) else _UNKNOWN,
                scope,
                owner,
            )
    elif isinstance(target, ast.Starred):
        _bind(target.value, _UNKNOWN, scope, owner)
    elif (name := _bindable(target)) is not None:
        if name.startswith("self."):
            if owner is not None:
                owner.bind(name, value, scope)
        else:
            scope.bind(name, value)


def _bindable(target: ast.expr) -> str | None:
    if isinstance(target, ast.Name):
        return target.id
    if (
        isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id in ("self", "cls")
    ):
        return f"self.{target.attr}"
    return None


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _step(table: object, name: str) -> str | None:
    return (table.get(name) or table.get("*")) if isinstance(table, dict) else None
