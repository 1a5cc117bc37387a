"""Walks and reads `ast` trees. Walking costs a fifth of `ast.walk`, since rules do little else."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TypeAlias

FunctionNode: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_OWN_BODY = (*FUNCTIONS, ast.Lambda, ast.ClassDef)
_HOLDS_NO_NODE = frozenset(
    {"ctx", "op", "ops", "id", "attr", "arg", "name", "names", "type_comment", "kind", "conversion", "simple",
     "level", "module", "is_async", "rest", "tag", "kwd_attrs"}
)  # fmt: skip
_fields_with_nodes: dict[type[ast.AST], tuple[str, ...]] = {ast.Constant: ()}


def children(node: ast.AST) -> list[ast.AST]:
    """Return the child nodes, last first, without operators, contexts and names of imports."""
    kind = type(node)
    if kind not in _fields_with_nodes:
        _fields_with_nodes[kind] = tuple(name for name in kind._fields if name not in _HOLDS_NO_NODE)[::-1]
    nodes: list[ast.AST] = []
    fields = node.__dict__
    for name in _fields_with_nodes[kind]:
        value = fields.get(name)
        if isinstance(value, list):
            nodes += [item for item in reversed(value) if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):  # `case True:` holds a bool where other patterns hold a node
            nodes.append(value)
    return nodes


def every_node(tree: ast.AST) -> list[ast.AST]:
    """Return the node and everything below it, in the order of the source, without what `children` leaves out."""
    nodes: list[ast.AST] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack += children(node)
    return nodes


def own_nodes(body: Iterable[ast.stmt], closed: tuple[type[ast.AST], ...] = _OWN_BODY) -> Iterator[ast.AST]:
    """Yield what runs when a body runs: its nodes, but not those inside a node of a `closed` kind."""
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, closed):
            stack += children(node)


def last_name(expression: ast.expr) -> str:
    """Return `c` of `a.b.c` and of `c`; an empty string for any other expression."""
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def decorator_name(decorator: ast.expr) -> str:
    """Return `c` of the decorators `@a.b.c` and `@a.b.c(…)`."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(function).rpartition(".")[2]


def parameters(function: FunctionNode) -> list[str]:
    """Return the names of a function's parameters in the order in which a call fills them."""
    arguments = function.args
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def passed_values(call: ast.Call) -> list[ast.expr]:
    """Return the values of a call's arguments."""
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def getattr_as_attribute(call: ast.Call) -> ast.Attribute | None:
    """Return `getattr(value, "name")` as the attribute that it reads; None for any other call."""
    match call:
        case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(name)), *_]):
            return ast.copy_location(ast.Attribute(value, name, ast.Load()), call)
    return None
