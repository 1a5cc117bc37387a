"""One module as PP002 sees it: its imports, its functions and classes, and what it tells other modules."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import libcst as cst

from ...engine.imports import imported_names, qualified_name
from ...tables.python_calls import ROW_BASES
from ..syntax import Function, Statement, elements, every_node, is_named, own_nodes, statements, targets_of
from .sink_table import SinkTable, ancestors, builtin_table

_BUILTIN_ERRORS = frozenset({"Exception", "BaseException", "ExceptionGroup", "BaseExceptionGroup"})
ERROR_ENDINGS = ("Error", "Exception", "Warning", "Exit")
Values = dict[str, list[tuple[cst.BaseExpression, bool]]]
"""What each name of a function is given, and whether that is an annotation."""
OwnValues = dict[str, list[tuple[Function, cst.BaseExpression, bool]]]
"""What the methods of a class give each attribute of `self`: the method, the value, whether that is an annotation."""
_Part = tuple[str | None, list[cst.CSTNode]]


@dataclass(slots=True)
class ClassFacts:
    """A class of the module: its bases as qualified names, its methods, the fields that its body declares in their
    order, the statements of its body that are no methods, and whether its objects are rows of a database."""

    name: str
    bases: tuple[str, ...]
    methods: dict[str, Function] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    rest: list[Statement] = field(default_factory=list)
    is_row: bool = False


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
            if type(node) in (cst.Import, cst.ImportFrom)
            for bound, dotted in imported_names(node, package)  # type: ignore[arg-type]
        }
        self.functions = {node.name.value: node for node in self.statements if isinstance(node, cst.FunctionDef)}
        classes = [node for node in nodes if type(node) is cst.ClassDef]
        self._own_names = {*self.functions, *(node.name.value for node in classes)}
        self.variables = frozenset(_bound(self.statements)) - self.imports.keys()
        self.annotation_aliases = dict(_annotation_aliases(self.statements))
        self.classes = {node.name.value: self._class(node) for node in classes}
        self.calls = [node for node in nodes if type(node) is cst.Call]
        self.assignments = [node for node in nodes if type(node) is cst.Assign]
        self.definitions = [node for node in nodes if type(node) is cst.FunctionDef]
        self._called = {id(call): self.qualified(call.func) for call in self.calls}
        self.registered = Registrations()
        self.values_by_function: dict[int, Values] = {}
        self.own_values: dict[str, OwnValues] = {}

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

    def is_own(self, expression: cst.BaseExpression) -> bool:
        """Return whether the expression starts with a function or a class of this module."""
        while isinstance(expression, cst.Attribute):
            expression = expression.value
        return isinstance(expression, cst.Name) and expression.value in self._own_names

    def is_foreign(self, qualified: str) -> bool:
        """Return whether the name is one of the standard library, which keeps nothing of the project."""
        return qualified.partition(".")[0] in sys.stdlib_module_names

    def qualified(self, expression: cst.BaseExpression) -> str | None:
        """Return the dotted name of an expression, through imports or in this module; an unknown name stands for
        itself. None for an expression that is no dotted name."""
        return qualified_name(expression, self._base_of)

    def _base_of(self, name: str) -> str:
        return self.imports.get(name) or (f"{self.name}.{name}" if name in self._own_names else name)

    def _class(self, node: cst.ClassDef) -> ClassFacts:
        facts = ClassFacts(node.name.value, tuple(self._base_class(base.value) for base in node.bases))
        names = []
        for statement in statements(node.body):
            if isinstance(statement, cst.FunctionDef):
                facts.methods[statement.name.value] = statement
                continue
            facts.rest.append(statement)
            names += [target.value for target in targets_of(statement) if isinstance(target, cst.Name)]
        facts.is_row = is_row_class(node, facts.bases, names)
        if "__init__" not in facts.methods:
            facts.fields = tuple(
                statement.target.value
                for statement in facts.rest
                if isinstance(statement, cst.AnnAssign) and isinstance(statement.target, cst.Name)
            )
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


def is_row_class(node: cst.ClassDef, bases: tuple[str, ...], names: list[str]) -> bool:
    """Return whether objects of the class are rows of a table, by what object-relational mappers ask of a class."""
    lasts = {base.rpartition(".")[2] for base in bases}
    is_table = any(is_named(item.keyword, "table") and is_named(item.value, "True") for item in node.keywords)
    return is_table or "__tablename__" in names or not lasts.isdisjoint(ROW_BASES)


def _bound(body: list[Statement]) -> Iterator[str]:
    """Yield the names that the statements of a module bind, without those of functions and classes."""
    for statement in body:
        if isinstance(statement, cst.FunctionDef | cst.ClassDef):
            continue
        for node in own_nodes([statement]):
            for target in targets_of(node):
                for item in elements(target) or [target]:
                    if isinstance(item, cst.Name):
                        yield item.value


def _annotation_aliases(body: list[Statement]) -> Iterator[tuple[str, cst.BaseExpression]]:
    """Yield the names of the module that stand for an annotation, as `Db = Annotated[Session, Depends(open)]`."""
    for statement in body:
        if isinstance(statement, cst.Assign) and isinstance(statement.value, cst.Subscript):
            target = statement.targets[0].target
            if isinstance(target, cst.Name):
                yield target.value, statement.value


def is_error_class(name: str | None, bases: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether a qualified name is that of an exception, by its bases or by its own name."""
    return any(
        base.rpartition(".")[2] in _BUILTIN_ERRORS or (base not in bases and base.endswith(ERROR_ENDINGS))
        for base in ancestors(name, bases)
    )
