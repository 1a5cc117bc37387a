"""What a function holds at a glance: enough to tell those that need not be followed."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from .module import FunctionNode, Module
from .sinks import is_route, sink_of
from .sources import names_its_error, source_of


@dataclass(frozen=True, slots=True)
class Glance:
    """`sources`: it may meet an error by itself. `sinks`: it may send something by itself. `returns`: something comes
    out of it. `calls`: the qualified names that it calls, as far as they are imported or the module's own."""

    sources: bool
    sinks: bool
    returns: bool
    calls: frozenset[str]


def glance_at(module: Module, nodes: Iterable[ast.AST], owner: str | None) -> Glance:
    """At a function of the class `owner` (None: of none), or at statements of the module itself."""
    sources = sinks = returns = False
    calls: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Call):
            qualified = module.called(node)
            if qualified is not None:
                first, _, rest = qualified.partition(".")
                if first in {"self", "cls"}:
                    if owner is not None and "." not in rest:
                        calls.add(f"{module.name}.{owner}.{rest}")
                elif module.is_known(node.func):
                    calls.add(qualified)
            sources = sources or source_of(node, qualified) is not None
            sinks = sinks or sink_of(node, qualified, False, _SEND) is not None
        elif isinstance(node, ast.ExceptHandler):
            sources = sources or node.name is not None
        elif isinstance(node, ast.Return):
            returns = returns or (node.value is not None and not isinstance(node.value, ast.Constant))
        elif isinstance(node, ast.Yield | ast.YieldFrom):
            returns = True
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            sources = sources or names_its_error(node)
            sinks = sinks or is_route(node)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            sinks = sinks or node.attr in _BODIES
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            sinks = sinks or (isinstance(node.value, ast.Attribute) and node.value.attr in _BODIES)
    return Glance(sources, sinks, returns, frozenset(calls))


_SEND = frozenset({"send"})
_BODIES = frozenset({"body", "content", "headers"})


def of_function(module: Module, owner: str | None, function: FunctionNode) -> Glance:
    """At one function."""
    return glance_at(module, module.nodes_of(function), owner)


def of_module(module: Module, functions: Iterable[Glance]) -> Glance:
    """At all of it; `functions` are the glances at its functions and methods."""
    rest = [
        glance_at(module, nodes, owner)
        for owner, statement, nodes in module.parts()
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    every = [*rest, *functions]
    return Glance(
        any(one.sources for one in every),
        any(one.sinks for one in every),
        False,
        frozenset().union(*(one.calls for one in every)),
    )
