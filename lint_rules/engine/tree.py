"""Walks LibCST trees: only the nodes that mean something, so without white space, commas and brackets.

LibCST's own `visit` makes every node anew on its way; walking the fields takes a tenth of the time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import libcst as cst

_LAYOUT_NAMES = frozenset(
    {
        "asynchronous", "colon", "comma", "default_indent", "default_newline", "dot", "encoding", "equal",
        "first_colon", "footer", "has_trailing_newline", "header", "indent", "lbrace", "lbracket", "leading_lines",
        "lines_after_decorators", "lpar", "newline", "posonly_ind", "rbrace", "rbracket", "rpar", "second_colon",
        "semicolon", "separator", "trailing_comma", "trailing_whitespace",
    }
)  # fmt: skip
_LEAVES = (cst.Name, cst.SimpleString, cst.Integer, cst.Float, cst.Imaginary, cst.FormattedStringText, cst.Ellipsis)
_fields: dict[type[cst.CSTNode], tuple[str, ...]] = dict.fromkeys(_LEAVES, ())
_SPACE = frozenset(
    {"Comment", "EmptyLine", "MaybeSentinel", "Newline", "ParenthesizedWhitespace", "SimpleWhitespace",
     "TrailingWhitespace", "Comma", "Dot", "Semicolon", "Colon", "AssignEqual", "LeftParen", "RightParen",
     "LeftSquareBracket", "RightSquareBracket", "LeftCurlyBrace", "RightCurlyBrace"}
)  # fmt: skip
"""Nodes that `children` leaves out."""


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Return the child nodes that mean something, last first."""
    kind = type(node)
    names = _fields.get(kind)
    if names is None:
        names = _fields[kind] = tuple(
            field.name
            for field in dataclasses.fields(kind)
            if not field.name.startswith("whitespace") and field.name not in _LAYOUT_NAMES
        )[::-1]
    nodes: list[cst.CSTNode] = []
    for name in names:
        value = getattr(node, name)
        kind_of_value = type(value)
        if kind_of_value is tuple or kind_of_value is list:
            nodes += reversed(value)
        elif value is not None and _is_node(kind_of_value):
            nodes.append(value)
    return nodes


_is_class_of_nodes: dict[type, bool] = {}


def _is_node(kind: type) -> bool:
    """`isinstance` asks LibCST's classes by way of `abc`, which takes a third of the time of a walk."""
    if kind not in _is_class_of_nodes:
        _is_class_of_nodes[kind] = issubclass(kind, cst.CSTNode)
    return _is_class_of_nodes[kind]


def every_node(tree: cst.CSTNode) -> list[cst.CSTNode]:
    """Return the node and everything below it that means something, parents first. The order is that of the source,
    but for comprehensions, where the element comes first, and decorators, which come after the body."""
    nodes: list[cst.CSTNode] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack += children(node)
    return nodes


def walk(tree: cst.CSTNode, visitor: cst.CSTVisitor) -> None:
    """Call the visitor's `visit_X` and `leave_X` methods for the tree, as `tree.visit(visitor)` does.

    A visitor that wants white space, comments, punctuation or attributes (`visit_Call_args`) gets the slow way.
    """
    visits, leaves, is_plain = _methods(visitor)
    if not is_plain:
        tree.visit(visitor)
        return
    stack: list[tuple[cst.CSTNode, bool]] = [(tree, False)]
    while stack:
        node, is_left = stack.pop()
        name = type(node).__name__
        if is_left:
            leaves[name](node)
            continue
        if name in leaves:
            stack.append((node, True))
        visit = visits.get(name)
        if visit is None or visit(node) is not False:
            stack += [(child, False) for child in children(node)]


_Methods = dict[str, Callable[[Any], Any]]


def _methods(visitor: cst.CSTVisitor) -> tuple[_Methods, _Methods, bool]:
    """Return the visitor's own methods by node, and whether `walk` can do without the nodes of the layout."""
    visits: _Methods = {}
    leaves: _Methods = {}
    is_plain = True
    for name in _own_names(type(visitor)):
        prefix, _, node = name.partition("_")
        if node in _SPACE or "_" in node or not hasattr(cst, node):
            is_plain = False
        (visits if prefix == "visit" else leaves)[node] = getattr(visitor, name)
    if any(getattr(type(visitor), hook) is not getattr(cst.CSTVisitor, hook) for hook in _HOOKS):
        is_plain = False
    return visits, leaves, is_plain


_HOOKS = ("on_visit", "on_leave", "on_visit_attribute", "on_leave_attribute")
_names_by_class: dict[type, list[str]] = {}


def _own_names(kind: type) -> list[str]:
    """Return the `visit_` and `leave_` methods that a visitor's class defines beyond LibCST's empty ones."""
    if kind not in _names_by_class:
        _names_by_class[kind] = [
            name
            for name in dir(kind)
            if name.startswith(("visit_", "leave_"))
            and getattr(kind, name) is not getattr(cst.CSTVisitor, name, None)
        ]
    return _names_by_class[kind]
