"""The scopes of one module: which names are bound where, and to what."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from ..engine.imports import imported_names, qualified_name
from .syntax import children, elements, is_async, parameters, positional, targets_of

_BINDS = frozenset(
    {cst.Import, cst.ImportFrom, cst.Assign, cst.AnnAssign, cst.NamedExpr, cst.WithItem, cst.For, cst.CompFor,
     cst.ExceptHandler, cst.Call, cst.TypeAlias}
)  # fmt: skip
_UNKNOWN = cst.Ellipsis()
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
    values: dict[str, list[tuple[cst.BaseExpression, Scope]]] = field(default_factory=dict)
    iterated: dict[str, cst.BaseExpression] = field(default_factory=dict)
    annotations: dict[str, cst.BaseExpression] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    nonblocking: set[str] = field(default_factory=set)

    def bind(self, name: str, value: cst.BaseExpression, origin: Scope | None = None) -> None:
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

    node: cst.FunctionDef
    scope: Scope
    owner: Scope | None

    def __hash__(self) -> int:
        return id(self.node)

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.node.name.value


class ModuleScopes:
    """All scopes of one module. `package` is what relative imports start from; None leaves them unresolved."""

    def __init__(self, tree: cst.Module, package: str | None = None) -> None:
        self.module = Scope(None)
        self.functions: list[Function] = []
        self.function_at: dict[cst.FunctionDef, Function] = {}
        self.class_at: dict[cst.ClassDef, Scope] = {}
        self._package = package
        self.classes: dict[str, Scope] = {}
        self._visit(tree, self.module, None)

    def qualified(self, expression: cst.CSTNode, scope: Scope, depth: int = 0) -> str | None:
        """Return the dotted name of what was imported, through aliases; None for anything else."""

        def base_of(name: str) -> str | None:
            holder = self.holder(name, scope) if depth <= DEEPEST else None
            if holder is None:
                return None
            values = holder.values.get(name)
            if name in holder.imports:
                return holder.imports[name] if values is None else None
            if values is None or len(values) != 1 or not isinstance(values[0][0], cst.Name | cst.Attribute):
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

    def called(self, call: cst.Call, scope: Scope, owner: Scope | None) -> Function | None:
        """Return the module's own function that the call runs. `owner` is the scope of the class around the call."""
        target = call.func
        if isinstance(target, cst.Name):
            name = target.value
            holder = self.holder(name, scope)
            if holder is not None and name in holder.functions and name not in holder.values:
                return holder.functions[name]
            if name in self.classes:
                return self.classes[name].functions.get("__init__")
        if isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name):
            receiver, method = target.value.value, target.attr.value
            if receiver in {"self", "cls"} and owner is not None:
                return owner.functions.get(method)
            if receiver in self.classes and self.holder(receiver, scope) is None:
                return self.classes[receiver].functions.get(method)
        return None

    def _visit(self, node: cst.CSTNode, scope: Scope, owner: Scope | None) -> None:
        stack = children(node)
        while stack:
            child = stack.pop()
            if isinstance(child, cst.FunctionDef):
                self._function(child, scope)
            elif isinstance(child, cst.ClassDef):
                inner = Scope(scope, is_class=True)
                self.class_at[child] = inner
                if not scope.is_class:
                    self.classes[child.name.value] = inner
                self._visit(child.body, inner, inner)
            elif isinstance(child, cst.Lambda):
                continue
            else:
                if type(child) in _BINDS:
                    self._bindings(child, scope, owner)
                stack += children(child)

    def _function(self, node: cst.FunctionDef, scope: Scope) -> None:
        inner = Scope(scope)
        function = Function(node, inner, scope if scope.is_class else self._owner_of(scope))
        scope.functions[node.name.value] = function
        self.functions.append(function)
        self.function_at[node] = function
        for parameter in parameters(node):
            name = parameter.name.value
            inner.bind(name, _UNKNOWN)
            if parameter.annotation is not None:
                inner.annotations[name] = parameter.annotation.annotation
                inner.values[name].clear()
        for star in (node.params.star_arg, node.params.star_kwarg):
            if isinstance(star, cst.Param):
                inner.bind(star.name.value, _UNKNOWN)
        self._visit(node.body, inner, function.owner)

    def _owner_of(self, scope: Scope) -> Scope | None:
        return next((function.owner for function in self.functions if function.scope is scope), None)

    def _bindings(self, node: cst.CSTNode, scope: Scope, owner: Scope | None) -> None:
        match node:
            case cst.Import() | cst.ImportFrom():
                scope.imports.update(imported_names(node, self._package))
            case cst.Assign(value=value):
                for target in targets_of(node):
                    _bind(target, value, scope, owner)
            case cst.AnnAssign(target=target, annotation=annotation, value=value):
                if (name := _bindable(target)) is not None:
                    _scope_of(name, scope, owner).annotations[name] = annotation.annotation
                if value is not None:
                    _bind(target, value, scope, owner)
            case cst.NamedExpr(target=target, value=value) | cst.TypeAlias(name=target, value=value):
                _bind(target, value, scope, owner)
            case cst.WithItem(item=value, asname=cst.AsName(name=target)):
                _bind(target, value, scope, owner)
            case cst.For() | cst.CompFor():
                _bind_loop(node, scope, owner)
            case cst.ExceptHandler(name=cst.AsName(name=cst.Name(value=name))):
                scope.bind(name, _UNKNOWN)
            case cst.Call(func=cst.Attribute(value=receiver, attr=cst.Name(value="setblocking" | "settimeout"))):
                if _is_zero(node) and (name := _bindable(receiver)) is not None:
                    _scope_of(name, scope, owner).nonblocking.add(name)


def _bind_loop(loop: cst.For | cst.CompFor, scope: Scope, owner: Scope | None) -> None:
    if isinstance(loop.target, cst.Name) and not (isinstance(loop, cst.For) and is_async(loop)):
        scope.iterated[loop.target.value] = loop.iter
    else:
        _bind(loop.target, _UNKNOWN, scope, owner)


def _is_zero(call: cst.Call) -> bool:
    """Return whether the first argument is 0 or False."""
    match positional(call):
        case [cst.Integer(value="0") | cst.Name(value="False"), *_]:
            return True
    return False


def _bind(target: cst.BaseExpression, value: cst.BaseExpression, scope: Scope, owner: Scope | None) -> None:
    items = elements(target)
    if items is not None:
        values = elements(value)
        pairs = values if values is not None and len(values) == len(items) else [_UNKNOWN] * len(items)
        for item, part in zip(items, pairs, strict=True):
            _bind(item, part, scope, owner)
    elif isinstance(target, cst.StarredElement):
        _bind(target.value, _UNKNOWN, scope, owner)
    elif (name := _bindable(target)) is not None and (owner is not None or not name.startswith("self.")):
        _scope_of(name, scope, owner).bind(name, value, scope)


def _bindable(target: cst.BaseExpression) -> str | None:
    if isinstance(target, cst.Name):
        return target.value
    match target:
        case cst.Attribute(value=cst.Name(value="self" | "cls"), attr=cst.Name(value=attribute)):
            return f"self.{attribute}"
    return None


def _scope_of(name: str, scope: Scope, owner: Scope | None) -> Scope:
    """Return where a bound name is kept: attributes of `self` belong to the class."""
    return owner if owner is not None and name.startswith("self.") else scope
