"""Looks over a function once, to tell whether it needs to be followed at all."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from ..nodes import FUNCTIONS, FunctionNode
from .module import Module
from .sinks import is_route, sink_of
from .sources import names_its_error, source_of

_SEND = frozenset({"send"})
_BODIES = frozenset({"body", "content", "headers"})


@dataclass(frozen=True, slots=True)
class Prescan:
    """`sources`: it may meet an error by itself. `sinks`: it may send something by itself. `returns`: something comes
    out of it. `calls`: the qualified names that it calls, as far as they are imported or the module's own."""

    sources: bool
    sinks: bool
    returns: bool
    calls: frozenset[str]


def prescan_function(module: Module, owner: str | None, function: FunctionNode) -> Prescan:
    """Look over one function of the class `owner` (None: of no class)."""
    return _prescan(module, module.nodes_of(function), owner)


def prescan_module(module: Module, functions: Iterable[Prescan]) -> Prescan:
    """Look over the whole module; `functions` are the results for its functions and methods."""
    rest = [
        _prescan(module, nodes, owner)
        for owner, statement, nodes in module.parts()
        if not isinstance(statement, FUNCTIONS)
    ]
    parts = [*rest, *functions]
    return Prescan(
        any(part.sources for part in parts),
        any(part.sinks for part in parts),
        False,
        frozenset().union(*(part.calls for part in parts)),
    )


def _prescan(module: Module, nodes: Iterable[ast.AST], owner: str | None) -> Prescan:
    sources = sinks = returns = False
    calls: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Call):
            qualified = module.called(node)
            calls |= _known_call(module, node, qualified, owner)
            sources = sources or source_of(node, qualified) is not None
            sinks = sinks or sink_of(node, qualified, False, _SEND) is not None
        elif isinstance(node, ast.ExceptHandler):
            sources = sources or node.name is not None
        elif isinstance(node, ast.Return):
            returns = returns or (node.value is not None and not isinstance(node.value, ast.Constant))
        elif isinstance(node, ast.Yield | ast.YieldFrom):
            returns = True
        elif isinstance(node, FUNCTIONS):
            sources = sources or names_its_error(node)
            sinks = sinks or is_route(node)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            sinks = sinks or node.attr in _BODIES
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            sinks = sinks or (isinstance(node.value, ast.Attribute) and node.value.attr in _BODIES)
    return Prescan(sources, sinks, returns, frozenset(calls))


def _known_call(module: Module, call: ast.Call, qualified: str | None, owner: str | None) -> set[str]:
    if qualified is None:
        return set()
    first, _, rest = qualified.partition(".")
    if first in {"self", "cls"}:
        return {f"{module.name}.{owner}.{rest}"} if owner is not None and "." not in rest else set()
    return {qualified} if module.is_known(call.func) else set()
