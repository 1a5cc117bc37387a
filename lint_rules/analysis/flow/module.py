"""One module as PP002 sees it: its imports, its functions and classes, and what it tells other modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..imports import imported_names, qualified_name
from ..nodes import FUNCTIONS, FunctionNode, every_node, parameters

_BUILTIN_ERRORS = frozenset({"Exception", "BaseException", "ExceptionGroup", "BaseExceptionGroup"})
_ERROR_ENDINGS = ("Error", "Exception", "Warning", "Exit")


@dataclass(slots=True)
class ClassFacts:
    """A class of the module: its bases as qualified names, its methods, the parameters of `__init__`, and which of
    them fills which attribute (by the attribute's name)."""

    name: str
    bases: tuple[str, ...]
    methods: dict[str, FunctionNode] = field(default_factory=dict)
    filled_by: dict[str, str] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()


class Module:
    """The resolved names of one module. `name` is the dotted name by which the project imports it."""

    def __init__(self, tree: ast.Module, name: str, is_package: bool) -> None:
        self.tree, self.name, self.is_package = tree, name, is_package
        self._parts = dict(_parts(tree))
        nodes = [node for _, part in self._parts.values() for node in part]
        package = name if is_package else name.rpartition(".")[0]
        self.imports = {
            bound: dotted
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for bound, dotted in imported_names(node, package)
        }
        self.functions = {node.name: node for node in tree.body if isinstance(node, FUNCTIONS)}
        classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
        self._own_names = {*self.functions, *(node.name for node in classes)}
        self.classes = {node.name: self._class(node) for node in classes}
        self.calls = [node for node in nodes if isinstance(node, ast.Call)]
        self.assignments = [node for node in nodes if isinstance(node, ast.Assign)]
        self._called = {id(call): self.qualified(call.func) for call in self.calls}

    def parts(self) -> Iterator[tuple[str | None, ast.stmt, list[ast.AST]]]:
        """Yield each statement of the module and of its top-level classes with its nodes and the class's name."""
        for owner, nodes in self._parts.values():
            yield owner, nodes[0], nodes  # type: ignore[misc]

    def nodes_of(self, function: FunctionNode) -> list[ast.AST]:
        """Return the nodes of a function."""
        part = self._parts.get(id(function))
        return part[1] if part is not None else every_node(function)

    def called(self, call: ast.Call) -> str | None:
        """Return `qualified` of what is called."""
        return self._called[id(call)] if id(call) in self._called else self.qualified(call.func)

    def is_known(self, expression: ast.expr) -> bool:
        """Return whether the expression starts with a name that is imported, or defined at the module's top."""
        return (
            qualified_name(expression, lambda name: name if name in self.imports or name in self._own_names else None)
            is not None
        )

    def qualified(self, expression: ast.expr) -> str | None:
        """Return the dotted name of an expression, through imports or in this module; an unknown name stands for
        itself. None for an expression that is no dotted name."""
        return qualified_name(expression, self._base_of)

    def _base_of(self, name: str) -> str:
        return self.imports.get(name) or (f"{self.name}.{name}" if name in self._own_names else name)

    def _class(self, node: ast.ClassDef) -> ClassFacts:
        facts = ClassFacts(node.name, tuple(map(self._base_class, node.bases)))
        for statement in node.body:
            if isinstance(statement, FUNCTIONS):
                facts.methods[statement.name] = statement
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                facts.filled_by[statement.target.id] = statement.target.id
                facts.parameters = (*facts.parameters, statement.target.id)
        if (init := facts.methods.get("__init__")) is not None:
            facts.parameters = tuple(parameters(init)[1:])
            facts.filled_by = dict(_filled(init, frozenset(facts.parameters)))
        return facts

    def _base_class(self, base: ast.expr) -> str:
        named = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(named, ast.Name) and named.id not in self.imports and named.id not in _BUILTIN_ERRORS:
            return f"{self.name}.{named.id}"
        return self.qualified(named) or ""


def _parts(tree: ast.Module) -> Iterator[tuple[int, tuple[str | None, list[ast.AST]]]]:
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef):
            head = [*statement.decorator_list, *statement.bases, *statement.keywords]
            yield id(statement), (None, [statement, *(node for part in head for node in every_node(part))])
            for inner in statement.body:
                yield id(inner), (statement.name, every_node(inner))
        else:
            yield id(statement), (None, every_node(statement))


def _filled(init: FunctionNode, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield each attribute that holds (something made of) a parameter, with the parameter."""
    for node in every_node(init):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            pairs: list[tuple[ast.expr, ast.expr]] = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for item, value in pairs:
                match item:
                    case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
                        used = {inner.id for inner in ast.walk(value) if isinstance(inner, ast.Name)} & names
                        yield from ((attribute, name) for name in sorted(used))


def passed(call: ast.Call, names: list[str] | tuple[str, ...]) -> Iterator[tuple[str, ast.expr]]:
    """Yield parameter and argument of a call of a function with parameters `names`, up to a starred argument."""
    for name, value in zip(names, call.args, strict=False):
        if isinstance(value, ast.Starred):
            return
        yield name, value
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg, keyword.value


def is_error_class(name: str | None, bases: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether a qualified name is that of an exception, by its bases or by its own name."""
    return any(
        base.rpartition(".")[2] in _BUILTIN_ERRORS or (base not in bases and base.endswith(_ERROR_ENDINGS))
        for base in ancestors(name, bases)
    )


def ancestors(name: str | None, bases: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Yield a class and everything that it inherits from, each once, by their qualified names."""
    seen: set[str] = set()
    waiting = [name] if name else []
    while waiting:
        base = waiting.pop()
        if base not in seen:
            yield base
            seen.add(base)
            waiting += bases.get(base, ())
