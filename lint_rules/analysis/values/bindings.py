"""The scopes of one module, with everything that is bound in them, in the order of the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import libcst as cst

from ...engine.imports import dotted_name, imported_names
from ..syntax import (
    COMPREHENSIONS,
    children,
    elements,
    parameters,
    positional,
    string_value,
    targets_of,
)

Step: TypeAlias = "int | str"
"""From a value to the one that is bound: an index, `item` of an iteration, `rest` of an unpacking, `enter` of a
context manager."""
Block: TypeAlias = tuple[int, ...]
_GROWS = frozenset(
    {"add", "append", "appendleft", "extend", "insert", "put", "put_nowait", "set", "setdefault", "update"}
)
_BIND_LAST = frozenset(
    {cst.Assign, cst.AnnAssign, cst.AugAssign, cst.Call, cst.NamedExpr, cst.TypeAlias, cst.WithItem}
)
"""They bind after what stands in them was read."""
_BRANCHES = frozenset({cst.Else, cst.ExceptHandler, cst.ExceptStarHandler, cst.MatchCase})
_FORKS = frozenset({cst.If, cst.For, cst.While})
_MATTERS = frozenset(
    {*_BIND_LAST, *_FORKS, *COMPREHENSIONS, cst.ClassDef, cst.CompFor, cst.FunctionDef, cst.Global, cst.Import,
     cst.ImportFrom, cst.Lambda, cst.Match, cst.MatchAs, cst.Return, cst.Try, cst.TryStar, cst.Yield}
)  # fmt: skip
"""Nodes that bind something, open a scope or have branches."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something stands in the source: its number, and the branches (`if`, loop, `except`) around it."""

    number: int
    block: Block


@dataclass(frozen=True, slots=True)
class Binding:
    """A value of a name: the expression, the scope that it was written in, the steps from it, and when."""

    value: cst.BaseExpression
    scope: Scope
    steps: tuple[Step, ...] = ()
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class Growth:
    """What is added to a collection or a text: `+=`, `[]=` or a method's name, and the values."""

    how: str
    values: tuple[cst.BaseExpression, ...]
    scope: Scope
    moment: Moment | None
    key: str | None = None


@dataclass(eq=False, slots=True)
class Scope:
    """The names of a module, a class, a function or a lambda. `owner` is the class that `self` belongs to here.
    Attributes of `self` are kept in the class's scope as `self.name`."""

    name: str
    parent: Scope | None
    owner: Scope | None = None
    node: cst.CSTNode | None = None
    is_class: bool = False
    imports: dict[str, str] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    bound: dict[str, list[Binding]] = field(default_factory=dict)
    grown: dict[str, list[Growth]] = field(default_factory=dict)
    annotations: dict[str, cst.BaseExpression] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, Scope] = field(default_factory=dict)
    parameters: dict[str, cst.Param] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    bases: tuple[cst.BaseExpression, ...] = ()
    results: list[cst.Return | cst.Yield] = field(default_factory=list)

    def binds(self, name: str) -> bool:
        """Return whether the name is bound in this scope."""
        return (
            name in self.bound
            or name in self.imports
            or name in self.functions
            or name in self.classes
            or name in self.parameters
            or name in self.annotations
        )

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function with its scope. `name` is `f`, or `Class.f` of a method."""

    node: cst.FunctionDef
    scope: Scope
    name: str

    @property
    def owner(self) -> Scope | None:
        """The class of a method."""
        parent = self.scope.parent
        return parent if parent is not None and parent.is_class else None


class ModuleBindings:
    """All scopes of one module. `package` is what relative imports start from. `written` are the attributes that are
    set on anything but `self`, `items` what is set under a constant key, both by name."""

    def __init__(self, tree: cst.Module, package: str) -> None:
        self.module = Scope("", None, node=tree)
        self.functions: list[Function] = []
        self.scope_at: dict[cst.CSTNode, Scope] = {}
        self.function_at: dict[cst.FunctionDef, Function] = {}
        self.written: dict[str, list[tuple[cst.BaseExpression, Binding]]] = {}
        self.items: dict[str, list[Binding]] = {}
        self.calls: list[tuple[cst.Call, Scope]] = []
        self.moments: dict[cst.CSTNode, Moment] = {}
        self._package = package
        self._numbers = 0
        self._walk(tree)

    def holder(self, name: str, scope: Scope | None) -> Scope | None:
        """Return the scope that binds a name which is read in `scope`; None for a name that the module never binds.
        A class's names are seen in its own body alone."""
        inner = True
        while scope is not None:
            if name in scope.globals:
                return self.module
            if scope.binds(name) and (inner or not scope.is_class):
                return scope
            scope, inner = scope.parent, False
        return None

    def _walk(self, tree: cst.Module) -> None:
        stack: list[tuple[cst.CSTNode, Scope, Block]] = [(node, self.module, ()) for node in children(tree)]
        entered: set[cst.CSTNode] = set()
        while stack:
            node, scope, block = stack.pop()
            self._numbers += 1
            moment = Moment(self._numbers, block)
            if node in entered:
                self._bind(node, scope, moment)
                continue
            kind = type(node)
            if kind is cst.Name:
                self.moments[node] = moment
                continue
            if kind not in _MATTERS:
                stack += [(child, scope, block) for child in children(node)]
                continue
            if isinstance(node, cst.FunctionDef):
                inner = self._function(node, scope)
                heads = [decorator.decorator for decorator in node.decorators]
                heads += [parameter.default for parameter in parameters(node) if parameter.default is not None]
                stack += [(child, inner, ()) for child in children(node.body)]
                stack += [(head, scope, block) for head in heads]
                continue
            if isinstance(node, cst.ClassDef):
                inner = self._class(node, scope)
                stack += [(child, inner, block) for child in children(node.body)]
                stack += [(item.value, scope, block) for item in (*node.bases, *node.keywords)]
                stack += [(decorator.decorator, scope, block) for decorator in node.decorators]
                continue
            if isinstance(node, cst.Lambda):
                scope = self._lambda(node, scope)
            if kind in _BIND_LAST:
                entered.add(node)
                stack.append((node, scope, block))
            else:
                self._bind(node, scope, moment)
            is_fork = kind in _FORKS
            for child in sorted(children(node), key=_is_for) if kind in COMPREHENSIONS else children(node):
                is_branch = type(child) in _BRANCHES or (is_fork and isinstance(child, cst.BaseSuite))
                stack.append((child, scope, (*block, id(child)) if is_branch else block))

    def _function(self, node: cst.FunctionDef, scope: Scope) -> Scope:
        name = node.name.value
        path = f"{scope.name}.{name}" if scope.name else name
        inner = Scope(path, scope, scope if scope.is_class else scope.owner, node)
        function = Function(node, inner, path)
        scope.functions[name] = function
        self.functions.append(function)
        self.function_at[node] = function
        self.scope_at[node] = inner
        _take_parameters(node, inner)
        return inner

    def _class(self, node: cst.ClassDef, scope: Scope) -> Scope:
        name = node.name.value
        inner = Scope(f"{scope.name}.{name}" if scope.name else name, scope, node=node, is_class=True)
        inner.owner = inner
        inner.bases = tuple(base.value for base in node.bases)
        scope.classes[name] = inner
        self.scope_at[node] = inner
        return inner

    def _lambda(self, node: cst.Lambda, scope: Scope) -> Scope:
        inner = Scope(f"{scope.name}.<lambda>", scope, scope.owner, node)
        self.scope_at[node] = inner
        _take_parameters(node, inner)
        return inner

    def _bind(self, node: cst.CSTNode, scope: Scope, moment: Moment) -> None:
        match node:
            case cst.Assign(value=value):
                for target in targets_of(node):
                    self._target(target, Binding(value, scope, (), moment))
            case cst.AnnAssign(target=target, annotation=annotation, value=value):
                self._annotate(target, annotation.annotation, scope)
                if value is not None:
                    self._target(target, Binding(value, scope, (), moment))
            case cst.NamedExpr(target=target, value=value) | cst.TypeAlias(name=target, value=value):
                self._target(target, Binding(value, scope, (), moment))
            case cst.WithItem(item=value, asname=cst.AsName(name=target)):
                self._target(target, Binding(value, scope, ("enter",), moment))
            case cst.For(target=target, iter=value) | cst.CompFor(target=target, iter=value):
                self._target(target, Binding(value, scope, ("item",), moment))
            case cst.MatchAs(pattern=cst.MatchClass(cls=kind), name=cst.Name(value=name)):
                scope.annotations[name] = kind
            case cst.AugAssign(target=target, operator=cst.AddAssign() | cst.BitOrAssign(), value=value):
                self._grow(target, Growth("+=", (value,), scope, moment))
            case cst.Call():
                self._call(node, scope, moment)
            case _:
                self._note(node, scope)

    def _note(self, node: cst.CSTNode, scope: Scope) -> None:
        match node:
            case cst.Import() | cst.ImportFrom():
                self._import(node, scope)
            case cst.Return() | cst.Yield():
                scope.results.append(node)
            case cst.Global(names=names):
                scope.globals.update(item.name.value for item in names)

    def _call(self, call: cst.Call, scope: Scope, moment: Moment) -> None:
        self.calls.append((call, scope))
        self.moments[call] = moment
        values = positional(call)
        match call.func:
            case cst.Attribute(value=receiver, attr=cst.Name(value=method)) if method in _GROWS and values:
                self._grow(receiver, Growth(method, tuple(values), scope, moment))
            case cst.Name(value="setattr") if len(values) == 3 and (name := string_value(values[1])):
                self._target(cst.Attribute(values[0], cst.Name(name)), Binding(values[2], scope, (), moment))

    def _import(self, node: cst.Import | cst.ImportFrom, scope: Scope) -> None:
        for name, dotted in imported_names(node, self._package):
            if name == "*":
                scope.stars.append(dotted.removesuffix("*").rstrip("."))
            else:
                scope.imports[name] = dotted

    def _annotate(self, target: cst.BaseExpression, annotation: cst.BaseExpression, scope: Scope) -> None:
        place = self._place_of(target, scope)
        if place is not None:
            place[0].annotations[place[1]] = annotation

    def _target(self, target: cst.BaseExpression, binding: Binding) -> None:
        items = elements(target)
        if items is not None:
            self._unpack(items, binding)
            return
        place = self._place_of(target, binding.scope)
        if place is not None:
            place[0].bound.setdefault(place[1], []).append(binding)
        elif isinstance(target, cst.Attribute):
            self.written.setdefault(target.attr.value, []).append((target.value, binding))
        elif isinstance(target, cst.Subscript):
            key = _constant_key(target)
            if key is not None and not binding.steps:
                self.items.setdefault(key, []).append(binding)
            if not binding.steps:
                self._grow(target.value, Growth("[]=", (binding.value,), binding.scope, binding.moment, key))

    def _unpack(self, items: list[cst.BaseExpression], binding: Binding) -> None:
        values = elements(binding.value) if not binding.steps else None
        is_pairwise = (
            values is not None
            and len(values) == len(items)
            and not any(isinstance(item, cst.StarredElement) for item in (*items, *values))
        )
        for index, item in enumerate(items):
            if values is not None and is_pairwise:
                part = Binding(values[index], binding.scope, (), binding.moment)
            else:
                step: Step = "rest" if isinstance(item, cst.StarredElement) else index
                part = Binding(binding.value, binding.scope, (*binding.steps, step), binding.moment)
            self._target(item.value if isinstance(item, cst.StarredElement) else item, part)

    def _grow(self, target: cst.BaseExpression, growth: Growth) -> None:
        if isinstance(target, cst.Subscript):
            target, growth = target.value, replace(growth, how=f"[].{growth.how}")
        place = self._place_of(target, growth.scope)
        if place is not None:
            scope = self.holder(place[1], place[0]) or place[0]
            scope.grown.setdefault(place[1], []).append(growth)

    def _place_of(self, target: cst.BaseExpression, scope: Scope) -> tuple[Scope, str] | None:
        """Return where a name or an attribute of `self` is kept, and under which name."""
        match target:
            case cst.Name(value=name):
                return (self.module if name in scope.globals else scope), name
            case cst.Attribute(value=cst.Name(value=receiver), attr=cst.Name(value=name)) if (
                scope.owner is not None and (receiver in {"self", "cls"} or _is_own_class(receiver, scope))
            ):
                return scope.owner, f"self.{name}"
        return None


def _is_for(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.CompFor)


def _is_own_class(name: str, scope: Scope) -> bool:
    """Return whether a name is bound to the class of `self`: `cls = self.__class__`, `cls = type(self)`."""
    match scope.bound.get(name):
        case [Binding(value=cst.Attribute(attr=cst.Name(value="__class__")))]:
            return True
        case [Binding(value=cst.Call(func=cst.Name(value="type")))]:
            return True
    return False


def _take_parameters(node: cst.FunctionDef | cst.Lambda, scope: Scope) -> None:
    for parameter in parameters(node):
        scope.parameters[parameter.name.value] = parameter
        if parameter.annotation is not None:
            scope.annotations[parameter.name.value] = parameter.annotation.annotation
    for star in (node.params.star_arg, node.params.star_kwarg):
        if isinstance(star, cst.Param):
            scope.parameters[star.name.value] = star


def _constant_key(subscript: cst.Subscript) -> str | None:
    match subscript.slice:
        case [cst.SubscriptElement(slice=cst.Index(value=key))]:
            return string_value(key) or dotted_name(key) or None
    return None


def constant_key(subscript: cst.Subscript) -> str | None:
    """Return the constant text, or the name, between the brackets; None for anything else."""
    return _constant_key(subscript)


def returned(function: Function) -> Iterator[tuple[cst.BaseExpression, bool]]:
    """Yield what a function returns or yields, each with whether it is one item of what it yields."""
    for node in function.scope.results:
        match node:
            case cst.Return(value=cst.BaseExpression() as value):
                yield value, False
            case cst.Yield(value=cst.From(item=value)):
                yield value, False
            case cst.Yield(value=cst.BaseExpression() as value):
                yield value, True


def visible(bindings: list[Binding], moment: Moment | None) -> list[Binding]:
    """Return the bindings that a name can have at a moment: not those that a later one has replaced for sure."""
    if moment is None:
        return bindings
    last: Binding | None = None
    for binding in bindings:
        when = binding.moment
        if when is not None and when.number < moment.number and moment.block[: len(when.block)] == when.block:
            last = binding
    if last is None or last.moment is None:
        return bindings
    start = last.moment.number
    return [b for b in bindings if b.moment is not None and start <= b.moment.number <= moment.number]
