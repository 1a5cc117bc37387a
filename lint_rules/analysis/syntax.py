"""Reads LibCST nodes: what a rule asks of a call, a function, a statement or a text, whatever its spelling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import libcst as cst

from ..engine.imports import dotted_name
from ..engine.tree import children, every_node
from .literals import string_or_bytes

__all__ = [
    "COMPREHENSIONS",
    "FUNCTIONS",
    "Function",
    "Statement",
    "annotation_of",
    "argument",
    "attribute_values",
    "bound_values",
    "bytes_value",
    "children",
    "code",
    "decorator_name",
    "dotted_name",
    "elements",
    "every_node",
    "fors_of",
    "getattr_as_attribute",
    "indices",
    "is_async",
    "is_constant",
    "last_name",
    "own_nodes",
    "parameter_names",
    "parameters",
    "parsed_annotation",
    "passed_values",
    "positional",
    "statements",
    "string_value",
    "targets_of",
]

Function: TypeAlias = cst.FunctionDef
Statement: TypeAlias = "cst.BaseSmallStatement | cst.BaseCompoundStatement"
COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp)
FUNCTIONS = (cst.FunctionDef,)
_OWN_BODY = (cst.FunctionDef, cst.Lambda, cst.ClassDef)
_CONSTANTS = (cst.SimpleString, cst.Integer, cst.Float, cst.Imaginary, cst.Ellipsis)
_SUITES = (cst.IndentedBlock, cst.SimpleStatementSuite)
_OTHER_ASSIGNMENTS = (cst.AnnAssign, cst.AugAssign, cst.NamedExpr)
_NAMED_CONSTANTS = frozenset({"None", "True", "False"})
_WITHOUT_LAYOUT = cst.Module([])


def statements(body: cst.BaseSuite | cst.Module | cst.ClassDef | cst.Else | cst.Finally | None) -> list[Statement]:
    """Return the statements of a body in order; those that share a line by semicolons are statements of their own.

    `body` is a module, a class, what follows a colon, or an `else` or `finally` clause; None has no statements.
    """
    if body is None:
        return []
    inner = body.body
    if type(inner) in _SUITES:
        return statements(inner)  # type: ignore[arg-type]
    flat: list[Statement] = []
    for statement in inner:  # type: ignore[union-attr]
        if type(statement) is cst.SimpleStatementLine:
            flat += statement.body
        else:
            flat.append(statement)  # type: ignore[arg-type]
    return flat


def own_nodes(
    nodes: Iterable[cst.CSTNode], closed: tuple[type[cst.CSTNode], ...] = _OWN_BODY
) -> Iterator[cst.CSTNode]:
    """Yield what runs when these statements run: their nodes, but not those inside a node of a `closed` class."""
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        yield node
        if type(node) not in closed:
            stack += children(node)


def code(node: cst.CSTNode) -> str:
    """Return the source of a node, without the white space around it."""
    return _WITHOUT_LAYOUT.code_for_node(node).strip()


def last_name(expression: cst.CSTNode | None) -> str:
    """Return `c` of `a.b.c` and of `c`; an empty string for any other expression."""
    if isinstance(expression, cst.Attribute):
        return expression.attr.value
    return expression.value if isinstance(expression, cst.Name) else ""


def is_named(expression: cst.CSTNode | None, *names: str) -> bool:
    """Return whether the expression is one of these plain names."""
    return isinstance(expression, cst.Name) and expression.value in names


def decorator_name(decorator: cst.Decorator | cst.BaseExpression) -> str:
    """Return `c` of the decorators `@a.b.c` and `@a.b.c(…)`."""
    expression = decorator.decorator if isinstance(decorator, cst.Decorator) else decorator
    return last_name(expression.func if isinstance(expression, cst.Call) else expression)


def is_async(node: cst.FunctionDef | cst.For | cst.With | cst.CompFor) -> bool:
    """Return whether `async` stands before it."""
    return node.asynchronous is not None


def parameters(function: cst.FunctionDef | cst.Lambda) -> list[cst.Param]:
    """Return the parameters in the order in which a call fills them, without `*args` and `**kwargs`."""
    params = function.params
    return [*params.posonly_params, *params.params, *params.kwonly_params]


def parameter_names(function: cst.FunctionDef | cst.Lambda) -> list[str]:
    """Return the names of `parameters`."""
    return [parameter.name.value for parameter in parameters(function)]


def annotation_of(function: cst.FunctionDef, name: str) -> cst.BaseExpression | None:
    """Return the annotation of the parameter with that name."""
    for parameter in parameters(function):
        if parameter.name.value == name and parameter.annotation is not None:
            return parameter.annotation.annotation
    return None


def positional(call: cst.Call) -> list[cst.BaseExpression]:
    """Return the values of the positional arguments, up to the first starred one."""
    values = []
    for item in call.args:
        if item.star:
            break
        if item.keyword is None:
            values.append(item.value)
    return values


def argument(call: cst.Call, position: int | None, *names: str) -> cst.BaseExpression | None:
    """Return the value of the argument at a position (None: of none), or given by one of the names."""
    for item in call.args:
        if item.keyword is not None and item.keyword.value in names:
            return item.value
    values = positional(call)
    return values[position] if position is not None and position < len(values) else None


def passed_values(call: cst.Call) -> list[cst.BaseExpression]:
    """Return the values of a call's arguments, starred ones too."""
    return [item.value for item in call.args]


def elements(node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
    """Return what stands in a list, tuple or set; a starred element as `StarredElement`. None for anything else."""
    if not isinstance(node, cst.List | cst.Tuple | cst.Set):
        return None
    return [item if isinstance(item, cst.StarredElement) else item.value for item in node.elements]


def fors_of(comprehension: cst.BaseComp) -> Iterator[cst.CompFor]:
    """Yield the `for … in …` of a comprehension, the outer one first."""
    clause: cst.CompFor | None = comprehension.for_in
    while clause is not None:
        yield clause
        clause = clause.inner_for_in


def targets_of(node: cst.CSTNode) -> list[cst.BaseExpression]:
    """Return what an assignment of any form binds."""
    kind = type(node)
    if kind is cst.Assign:
        return [target.target for target in node.targets]  # type: ignore[attr-defined]
    return [node.target] if kind in _OTHER_ASSIGNMENTS else []  # type: ignore[attr-defined]


def bound_values(nodes: Iterable[cst.CSTNode]) -> Iterator[tuple[str, cst.BaseExpression]]:
    """Yield each name that one of the nodes gives a value, with the value: by an assignment of any form, tuples
    against tuples too."""
    for node in nodes:
        if isinstance(node, cst.Assign | cst.AnnAssign | cst.NamedExpr) and node.value is not None:
            for target in targets_of(node):
                yield from _pairs(target, node.value)


def attribute_values(nodes: Iterable[cst.CSTNode]) -> Iterator[tuple[str, cst.BaseExpression, bool]]:
    """Yield each attribute that a call gives another object, with its value, and whether it makes a method of it:
    `setattr(x, "name", value)`, `SimpleNamespace(name=value)`, `type("X", (), {"name": value})`."""
    for node in nodes:
        if not isinstance(node, cst.Call):
            continue
        name, values = last_name(node.func), positional(node)
        if name == "SimpleNamespace":
            yield from ((item.keyword.value, item.value, False) for item in node.args if item.keyword is not None)
        elif name == "setattr" and len(values) == 3 and (attribute := string_value(values[1])) is not None:
            yield attribute, values[2], False
        elif name == "type" and len(values) == 3 and isinstance(values[2], cst.Dict):
            for element in values[2].elements:
                key = string_value(element.key) if isinstance(element, cst.DictElement) else None
                if key is not None:
                    yield key, element.value, True


def _pairs(target: cst.BaseExpression, value: cst.BaseExpression) -> Iterator[tuple[str, cst.BaseExpression]]:
    targets, values = elements(target), elements(value)
    if targets is None:
        if isinstance(target, cst.Name):
            yield target.value, value
    elif values is not None and len(values) == len(targets):
        for inner, part in zip(targets, values, strict=True):
            yield from _pairs(inner, part)


def is_constant(node: cst.CSTNode) -> bool:
    """Return whether it is a literal number, text or bytes, `None`, `True`, `False` or `...`."""
    kind = type(node)
    if kind is cst.Name:
        return node.value in _NAMED_CONSTANTS  # type: ignore[attr-defined]
    if kind is cst.ConcatenatedString:
        return is_constant(node.left) and is_constant(node.right)  # type: ignore[attr-defined]
    return kind in _CONSTANTS


def string_value(node: cst.CSTNode | None) -> str | None:
    """Return the text of a literal without holes, also of one that is written in parts; None for anything else."""
    value = string_or_bytes(node)
    return value if isinstance(value, str) else None


def bytes_value(node: cst.CSTNode | None) -> bytes | None:
    """Return the bytes of a bytes literal; None for anything else."""
    value = string_or_bytes(node)
    return value if isinstance(value, bytes) else None


def getattr_as_attribute(call: cst.CSTNode) -> cst.Attribute | None:
    """Return `getattr(value, "name")` as the attribute that it reads; None for anything else. The new node is in no
    tree: report the call."""
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Name) or call.func.value != "getattr":
        return None
    values = positional(call)
    name = string_value(values[1]) if len(values) > 1 else None
    if name is None or not name.isidentifier():
        return None
    return cst.Attribute(values[0], cst.Name(name))


def parsed_annotation(text: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the expression that an annotation in quotes holds; None if it holds none."""
    try:
        return cst.parse_expression(string_value(text) or "")
    except (cst.ParserSyntaxError, RecursionError):
        return None


def indices(subscript: cst.Subscript) -> Iterator[cst.BaseExpression]:
    """Yield what stands between the brackets of `a[b, c]`, without slices."""
    for element in subscript.slice:
        if isinstance(element.slice, cst.Index):
            yield element.slice.value
