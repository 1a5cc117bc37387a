"""The scopes of one module: which names are bound where, and to what."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from .imports import imported_names, qualified_name
from .nodes import FUNCTIONS, FunctionNode, children

_BINDS = frozenset(
    {ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.withitem, ast.For, ast.AsyncFor,
     ast.comprehension, ast.ExceptHandler, ast.Call}
)  # fmt: skip
_UNKNOWN = ast.Constant(...)
DEEPEST = 12
"""Steps from a name to its value, after which the value counts as unknown."""


@dataclass(slots=True)
class Scope:
    """The names of a module, a class or a function. `values` has every value that is bound to a name, with the scope
    in which the value was written. `iterated` has what a loop's name iterates over, `nonblocking` the sockets that
    never wait."""

    parent: Scope | None
    is_class: bool = False
    imports: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[tuple[ast.expr, Scope]]] = field(default_factory=dict)
    iterated: dict[str, ast.expr] = field(default_factory=dict)
    annotations: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    nonblocking: set[str] = field(default_factory=set)

    def bind(self, name: str, value: ast.expr, origin: Scope | None = None) -> None:
        """Add a value of the name, written in the scope `origin` (default: this scope)."""
        self.values.setdefault(name, []).append((value, origin or self))

    def binds(self, name: str) -> bool:
        """Return whether the name is bound in this scope."""
        return (
            name in self.imports
            or name in self.values
            or name in self.functions
            or name in self.annotations
            or name in self.iterated
        )


@dataclass(frozen=True, slots=True)
class Function:
    """A function with its scope, and the scope of its class if it is a method."""

    node: FunctionNode
    scope: Scope
    owner: Scope | None

    def __hash__(self) -> int:
        return id(self.node)


class ModuleScopes:
    """All scopes of one module. `package` is what relative imports start from; None leaves them unresolved."""

    def __init__(self, tree: ast.Module, package: str | None = None) -> None:
        self.module = Scope(None)
        self.functions: list[Function] = []
        self._package = package
        self.classes: dict[str, Scope] = {}
        self._visit(tree, self.module, None)

    def qualified(self, expression: ast.expr, scope: Scope, depth: int = 0) -> str | None:
        """Return the dotted name of what was imported, through aliases; None for anything else."""

        def base_of(name: str) -> str | None:
            holder = self.holder(name, scope) if depth <= DEEPEST else None
            if holder is None:
                return None
            values = holder.values.get(name)
            if name in holder.imports:
                return holder.imports[name] if values is None else None
            if values is None or len(values) != 1 or not isinstance(values[0][0], ast.Name | ast.Attribute):
                return None
            return self.qualified(*values[0], depth + 1)

        return qualified_name(expression, base_of)

    def holder(self, name: str, scope: Scope | None) -> Scope | None:
        """Return the scope that binds a name which is read in `scope`; None for a name that the module never binds.
        A class's names are seen in its own body alone."""
        inner = True
        while scope is not None:
            if scope.binds(name) and (inner or not scope.is_class):
                return scope
            scope, inner = scope.parent, False
        return None

    def called(self, call: ast.Call, scope: Scope, owner: Scope | None) -> Function | None:
        """Return the module's own function that the call runs. `owner` is the scope of the class around the call."""
        target = call.func
        if isinstance(target, ast.Name):
            holder = self.holder(target.id, scope)
            if holder is not None and target.id in holder.functions and target.id not in holder.values:
                return holder.functions[target.id]
            if target.id in self.classes:
                return self.classes[target.id].functions.get("__init__")
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            if target.value.id in ("self", "cls") and owner is not None:
                return owner.functions.get(target.attr)
            if target.value.id in self.classes and self.holder(target.value.id, scope) is None:
                return self.classes[target.value.id].functions.get(target.attr)
        return None

    def _visit(self, node: ast.AST, scope: Scope, owner: Scope | None) -> None:
        stack = children(node)
        while stack:
            child = stack.pop()
            if isinstance(child, FUNCTIONS):
                self._function(child, scope)
            elif isinstance(child, ast.ClassDef):
                inner = Scope(scope, is_class=True)
                if not scope.is_class:
                    self.classes[child.name] = inner
                self._visit(child, inner, inner)
            elif isinstance(child, ast.Lambda):
                continue
            else:
                if type(child) in _BINDS:
                    self._bindings(child, scope, owner)
                stack += children(child)

    def _function(self, node: FunctionNode, scope: Scope) -> None:
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
        self._visit(ast.Module(body=node.body, type_ignores=[]), inner, function.owner)

    def _owner_of(self, scope: Scope) -> Scope | None:
        return next((function.owner for function in self.functions if function.scope is scope), None)

    def _bindings(self, node: ast.AST, scope: Scope, owner: Scope | None) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                scope.imports.update(imported_names(node, self._package))
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    _bind(target, value, scope, owner)
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                if (name := _bindable(target)) is not None:
                    _scope_of(name, scope, owner).annotations[name] = annotation
                if value is not None:
                    _bind(target, value, scope, owner)
            case (
                ast.NamedExpr(target=target, value=value)
                | ast.withitem(context_expr=value, optional_vars=ast.expr() as target)
            ):
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
                func=ast.Attribute(value=ast.expr() as receiver, attr="setblocking" | "settimeout"),
                args=[ast.Constant(value=0)],
            ):
                if (name := _bindable(receiver)) is not None:
                    _scope_of(name, scope, owner).nonblocking.add(name)


def _bind(target: ast.expr, value: ast.expr, scope: Scope, owner: Scope | None) -> None:
    if isinstance(target, ast.Tuple | ast.List):
        pairs = value.elts if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts) else []
        for index, item in enumerate(target.elts):
            _bind(item, pairs[index] if pairs else _UNKNOWN, scope, owner)
    elif isinstance(target, ast.Starred):
        _bind(target.value, _UNKNOWN, scope, owner)
    elif (name := _bindable(target)) is not None and (owner is not None or not name.startswith("self.")):
        _scope_of(name, scope, owner).bind(name, value, scope)


def _bindable(target: ast.expr) -> str | None:
    if isinstance(target, ast.Name):
        return target.id
    match target:
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attribute):
            return f"self.{attribute}"
    return None


def _scope_of(name: str, scope: Scope, owner: Scope | None) -> Scope:
    """Return where a bound name is kept: attributes of `self` belong to the class."""
    return owner if owner is not None and name.startswith("self.") else scope
