"""One module as PP002 sees it: its imports, its functions and classes, and what it tells other modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import libcst as cst

from ...engine.imports import imported_names, qualified_name
from ..syntax import (
    Function,
    Statement,
    elements,
    every_node,
    parameter_names,
    statements,
    targets_of,
    used_names,
)
from .sink_table import SinkTable, ancestors, builtin_table

_BUILTIN_ERRORS = frozenset({"Exception", "BaseException", "ExceptionGroup", "BaseExceptionGroup"})
_ERROR_ENDINGS = ("Error", "Exception", "Warning", "Exit")
_Part = tuple[str | None, list[cst.CSTNode]]


@dataclass(slots=True)
class ClassFacts:
    """A class of the module: its bases as qualified names, its methods, the parameters of `__init__`, and which of
    them fills which attribute (by the attribute's name)."""

    name: str
    bases: tuple[str, ...]
    methods: dict[str, Function] = field(default_factory=dict)
    filled_by: dict[str, str] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()


@dataclass(slots=True)
class Registrations:
    """What the module registers, by qualified name: `handlers` with their exception class (empty for any), and
    `routes` whose result is sent. `lambdas`, by identity: the exception class, or None for a route."""

    handlers: dict[str, str] = field(default_factory=dict)
    routes: set[str] = field(default_factory=set)
    lambdas: dict[int, str | None] = field(default_factory=dict)


class Module:
    """The resolved names of one module. `name` is the dotted name by which the project imports it."""

    def __init__(self, tree: cst.Module, name: str, is_package: bool, table: SinkTable | None = None) -> None:
        self.name, self.is_package, self.table = name, is_package, table or builtin_table()
        self.statements = statements(tree)
        self._parts = dict(_parts(self.statements))
        nodes = [node for _, part in self._parts.values() for node in part]
        package = name if is_package else name.rpartition(".")[0]
        self.imports = {
            bound: dotted
            for node in nodes
            if isinstance(node, cst.Import | cst.ImportFrom)
            for bound, dotted in imported_names(node, package)
        }
        self.functions = {node.name.value: node for node in self.statements if isinstance(node, cst.FunctionDef)}
        classes = [node for node in nodes if isinstance(node, cst.ClassDef)]
        self._own_names = {*self.functions, *(node.name.value for node in classes)}
        self.classes = {node.name.value: self._class(node) for node in classes}
        self.calls = [node for node in nodes if isinstance(node, cst.Call)]
        self.assignments = [node for node in nodes if isinstance(node, cst.Assign)]
        self._called = {id(call): self.qualified(call.func) for call in self.calls}
        self.registered = Registrations()

    def parts(self) -> Iterator[tuple[str | None, cst.CSTNode, list[cst.CSTNode]]]:
        """Yield each statement of the module and of its top-level classes with its nodes and the class's name."""
        for owner, nodes in self._parts.values():
            yield owner, nodes[0], nodes

    def nodes_of(self, function: Function) -> list[cst.CSTNode]:
        """Return the nodes of a function."""
        part = self._parts.get(id(function))
        return part[1] if part is not None else every_node(function)

    def called(self, call: cst.Call) -> str | None:
        """Return `qualified` of what is called."""
        return self._called[id(call)] if id(call) in self._called else self.qualified(call.func)

    def is_known(self, expression: cst.BaseExpression) -> bool:
        """Return whether the expression starts with a name that is imported, or defined at the module's top."""
        return (
            qualified_name(expression, lambda name: name if name in self.imports or name in self._own_names else None)
            is not None
        )

    def qualified(self, expression: cst.BaseExpression) -> str | None:
        """Return the dotted name of an expression, through imports or in this module; an unknown name stands for
        itself. None for an expression that is no dotted name."""
        return qualified_name(expression, self._base_of)

    def _base_of(self, name: str) -> str:
        return self.imports.get(name) or (f"{self.name}.{name}" if name in self._own_names else name)

    def _class(self, node: cst.ClassDef) -> ClassFacts:
        facts = ClassFacts(node.name.value, tuple(self._base_class(base.value) for base in node.bases))
        for statement in statements(node.body):
            if isinstance(statement, cst.FunctionDef):
                facts.methods[statement.name.value] = statement
            elif isinstance(statement, cst.AnnAssign) and isinstance(statement.target, cst.Name):
                name = statement.target.value
                facts.filled_by[name] = name
                facts.parameters = (*facts.parameters, name)
        if (init := facts.methods.get("__init__")) is not None:
            facts.parameters = tuple(parameter_names(init)[1:])
            facts.filled_by = dict(_filled(init, frozenset(facts.parameters)))
        return facts

    def _base_class(self, base: cst.BaseExpression) -> str:
        named = base.value if isinstance(base, cst.Subscript) else base
        if isinstance(named, cst.Name) and named.value not in self.imports and named.value not in _BUILTIN_ERRORS:
            return f"{self.name}.{named.value}"
        return self.qualified(named) or ""


def _parts(body: list[Statement]) -> Iterator[tuple[int, _Part]]:
    for statement in body:
        if isinstance(statement, cst.ClassDef):
            head = [*statement.decorators, *statement.bases, *statement.keywords]
            yield id(statement), (None, [statement, *(node for part in head for node in every_node(part))])
            for inner in statements(statement.body):
                yield id(inner), (statement.name.value, every_node(inner))
        else:
            yield id(statement), (None, every_node(statement))


def _filled(init: Function, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield each attribute that holds (something made of) a parameter, with the parameter."""
    for node in every_node(init):
        if not isinstance(node, cst.Assign | cst.AnnAssign) or node.value is None:
            continue
        for target in targets_of(node):
            for item, value in _pairs(target, node.value):
                if attribute := _of_self(item):
                    used = set(used_names(value)) & names
                    yield from ((attribute, name) for name in sorted(used))


def _pairs(
    target: cst.BaseExpression, value: cst.BaseExpression
) -> list[tuple[cst.BaseExpression, cst.BaseExpression]]:
    if isinstance(target, cst.Tuple) and isinstance(value, cst.Tuple):
        return list(zip(elements(target) or (), elements(value) or (), strict=False))
    return [(target, value)]


def _of_self(target: cst.BaseExpression) -> str:
    """Return `name` of `self.name`; an empty string for anything else."""
    is_own = isinstance(target, cst.Attribute) and is_named(target.value, "self")
    return target.attr.value if is_own and isinstance(target, cst.Attribute) else ""


def is_named(expression: cst.CSTNode | None, *names: str) -> bool:
    """Return whether the expression is one of these plain names."""
    return isinstance(expression, cst.Name) and expression.value in names


def passed(call: cst.Call, names: list[str] | tuple[str, ...]) -> Iterator[tuple[str, cst.BaseExpression]]:
    """Yield parameter and argument of a call of a function with parameters `names`, up to a starred argument."""
    numbered = iter(names)
    is_open = True
    for item in call.args:
        if item.keyword is not None:
            yield item.keyword.value, item.value
        elif item.star == "*":
            is_open = False
        elif is_open and not item.star and (name := next(numbered, None)) is not None:
            yield name, item.value


def is_error_class(name: str | None, bases: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether a qualified name is that of an exception, by its bases or by its own name."""
    return any(
        base.rpartition(".")[2] in _BUILTIN_ERRORS or (base not in bases and base.endswith(_ERROR_ENDINGS))
        for base in ancestors(name, bases)
    )
