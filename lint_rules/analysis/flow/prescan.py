"""Looks over a function once, to tell whether it needs to be followed at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import libcst as cst

from ...tables.python_calls import KEY_VALUE_METHODS, PRINTS_ERROR, SHARED
from ..syntax import Function, last_name, targets_of
from .module import Module
from .registrations import handled_by_decorator, is_route
from .sinks import may_be_sent, may_send
from .sources import names_its_error, source_of

_MAKES_ERROR = frozenset({*PRINTS_ERROR, "StreamHandler"})


@dataclass(frozen=True, slots=True)
class Prescan:
    """`sources`: it may meet an error by itself. `sinks`: it may send something by itself. `shares`: it may read what
    others put into the application's state or a database. `calls`: the qualified names that it calls, as far as they
    are imported or the module's own. `names`: the last names of all that it calls or reads."""

    sources: bool
    sinks: bool
    shares: bool
    calls: frozenset[str]
    names: frozenset[str]


def prescan_function(module: Module, owner: str | None, function: Function) -> Prescan:
    """Look over one function of the class `owner` (None: of no class)."""
    return _prescan(module, module.nodes_of(function), owner)


def prescan_module(module: Module, functions: Iterable[Prescan]) -> Prescan:
    """Look over the whole module; `functions` are the results for its functions and methods."""
    rest = [
        _prescan(module, nodes, owner)
        for owner, statement, nodes in module.parts()
        if not isinstance(statement, cst.FunctionDef)
    ]
    parts = [*rest, *functions]
    has_lambdas = bool(module.registered.lambdas)
    return Prescan(
        has_lambdas or any(part.sources for part in parts),
        has_lambdas or any(part.sinks for part in parts),
        any(part.shares for part in parts),
        frozenset().union(*(part.calls for part in parts)),
        frozenset().union(*(part.names for part in parts)),
    )


def _prescan(module: Module, nodes: Iterable[cst.CSTNode], owner: str | None) -> Prescan:
    sources = sinks = shares = False
    calls: set[str] = set()
    names: set[str] = set()
    for node in nodes:
        kind = type(node)
        if kind is cst.Call:
            qualified = module.called(node)
            calls |= _known_call(module, node, qualified, owner)
            sources = sources or bool(source_of(node, qualified)) or last_name(node.func) in _MAKES_ERROR
            sinks = sinks or may_send(node, qualified, module)
        elif kind in (cst.ExceptHandler, cst.ExceptStarHandler):
            sources = sources or node.name is not None
        elif kind is cst.Attribute:
            names.add(node.attr.value)
            shares = shares or node.attr.value in SHARED or node.attr.value in KEY_VALUE_METHODS
        elif kind is cst.Name:
            names.add(node.value)
        elif kind is cst.SimpleString:
            shares = shares or "select " in node.value[:20].lower()
        elif kind is cst.FunctionDef:
            sources = sources or names_its_error(node, module)
            is_view = owner is not None and node.name.value in module.table.view_methods
            sends_result = is_route(node, module) or handled_by_decorator(node, module) is not None
            sinks = sinks or is_view or sends_result
        elif not sinks and kind in (cst.Assign, cst.AnnAssign, cst.AugAssign):
            sinks = any(may_be_sent(target) for target in targets_of(node))
    return Prescan(sources, sinks, shares, frozenset(calls), frozenset(names))


def _known_call(module: Module, call: cst.Call, qualified: str | None, owner: str | None) -> set[str]:
    if qualified is None:
        return set()
    first, _, rest = qualified.partition(".")
    if first in {"self", "cls"}:
        return {f"{module.name}.{owner}.{rest}"} if owner is not None and "." not in rest else set()
    return {qualified} if module.is_known(call.func) else set()
