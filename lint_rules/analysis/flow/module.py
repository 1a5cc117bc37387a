"""One module as PP002 sees it: its imports, its functions and classes, and what it tells other modules."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..nodes import every_node

FunctionNode: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
_BUILTIN_ERRORS = frozenset({"Exception", "BaseException", "ExceptionGroup", "BaseExceptionGroup"})


@dataclass(slots=True)
class ClassFacts:
    """A class of the module: its bases as qualified names, its methods, and which parameter of `__init__` fills which
    attribute (by name)."""

    name: str
    bases: tuple[str, ...]
    methods: dict[str, FunctionNode] = field(default_factory=dict)
    filled_by: dict[str, str] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()


class Module:
    """Names of one module, resolved, and what its functions hold at a glance. `name` is the dotted name by which the
    project imports it."""

    def __init__(self, tree: ast.Module, name: str, is_package: bool) -> None:
        self.tree, self.name, self.is_package = tree, name, is_package
        self._package = name if is_package else name.rpartition(".")[0]
        self._parts = dict(_parts(tree))
        nodes = [node for _, part in self._parts.values() for node in part]
        self.imports = dict(self._imported(nodes))
        self.functions = {
            node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
        self.classes: dict[str, ClassFacts] = {node.name: ClassFacts(node.name, ()) for node in classes}
        self.classes = {node.name: self._class(node) for node in classes}
        self.calls = [node for node in nodes if isinstance(node, ast.Call)]
        self.assignments = [node for node in nodes if isinstance(node, ast.Assign)]
        self._called = {id(call): self.qualified(call.func) for call in self.calls}

    def parts(self) -> Iterator[tuple[str | None, ast.stmt, list[ast.AST]]]:
        """Each statement of the module and of its top-level classes with its nodes, and with the class's name."""
        for owner, nodes in self._parts.values():
            yield owner, nodes[0], nodes  # type: ignore[misc]

    def nodes_of(self, function: FunctionNode) -> list[ast.AST]:
        """The nodes of a function."""
        known = self._parts.get(id(function))
        return known[1] if known is not None else every_node(function)

    def called(self, call: ast.Call) -> str | None:
        """`qualified` of what is called."""
        return self._called[id(call)] if id(call) in self._called else self.qualified(call.func)

    def is_known(self, expression: ast.expr) -> bool:
        """Whether the expression starts with something that is imported, or defined at the module's top."""
        while isinstance(expression, ast.Attribute):
            expression = expression.value
        return isinstance(expression, ast.Name) and (
            expression.id in self.imports or expression.id in self.functions or expression.id in self.classes
        )

    def qualified(self, expression: ast.expr) -> str | None:
        """The dotted name of an expression: through imports, or in this module; None for anything else."""
        parts: list[str] = []
        while isinstance(expression, ast.Attribute):
            parts.append(expression.attr)
            expression = expression.value
        if not isinstance(expression, ast.Name):
            return None
        base = self.imports.get(expression.id)
        if base is None:
            here = expression.id in self.functions or expression.id in self.classes
            base = f"{self.name}.{expression.id}" if here else expression.id
        return ".".join([base, *reversed(parts)])

    def _imported(self, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    yield alias.asname or top, alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                for alias in node.names:
                    yield alias.asname or alias.name, f"{base}.{alias.name}"

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self._package.split(".") if self._package else []
        kept = parts[: len(parts) - node.level + 1]
        return ".".join([*kept, node.module] if node.module else kept)

    def _class(self, node: ast.ClassDef) -> ClassFacts:
        bases = []
        for base in node.bases:
            inner = base.value if isinstance(base, ast.Subscript) else base
            if isinstance(inner, ast.Name) and inner.id not in self.imports and inner.id not in _BUILTIN_ERRORS:
                bases.append(f"{self.name}.{inner.id}")
            else:
                bases.append(self.qualified(inner) or "")
        facts = ClassFacts(node.name, tuple(bases))
        for one in node.body:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                facts.methods[one.name] = one
            elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                facts.filled_by[one.target.id] = one.target.id
                facts.parameters = (*facts.parameters, one.target.id)
        if (init := facts.methods.get("__init__")) is not None:
            facts.parameters = tuple(parameters(init)[1:])
            facts.filled_by = dict(_filled(init, facts.parameters))
        return facts


def _parts(tree: ast.Module) -> Iterator[tuple[int, tuple[str | None, list[ast.AST]]]]:
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef):
            head = [*statement.decorator_list, *statement.bases, *statement.keywords]
            yield id(statement), (None, [statement, *(node for one in head for node in every_node(one))])
            for inner in statement.body:
                yield id(inner), (statement.name, every_node(inner))
        else:
            yield id(statement), (None, every_node(statement))


def _filled(init: FunctionNode, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Which attribute holds (something made of) which parameter."""
    for node in every_node(init):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        used = (
            {one.id for one in ast.walk(value) if isinstance(one, ast.Name)} & set(names)
            if value is not None
            else set()
        )
        for target in targets:
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=False))
            for one, held in pairs:
                if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "self":
                    own = {each.id for each in ast.walk(held) if isinstance(each, ast.Name)} & used if held else used
                    yield from ((one.attr, name) for name in sorted(own))


def parameters(function: FunctionNode) -> list[str]:
    """The names of a function's parameters, in the order in which a call fills them."""
    arguments = function.args
    return [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def passed(call: ast.Call, names: list[str] | tuple[str, ...]) -> Iterator[tuple[str, ast.expr]]:
    """Parameter and argument of a call, as far as they can be told."""
    for name, value in zip(names, call.args, strict=False):
        if isinstance(value, ast.Starred):
            return
        yield name, value
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg, keyword.value


def is_error_class(name: str | None, bases: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a qualified name is that of an exception, by its bases or by its own name."""
    seen: set[str] = set()
    waiting = [name] if name else []
    while waiting:
        one = waiting.pop()
        last = one.rpartition(".")[2]
        if last in _BUILTIN_ERRORS or (one not in bases and last.endswith(("Error", "Exception", "Warning", "Exit"))):
            return True
        if one not in seen:
            seen.add(one)
            waiting += bases.get(one, ())
    return False
