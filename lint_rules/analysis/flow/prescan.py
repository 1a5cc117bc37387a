"""Looks over a function once, to tell which others it may call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import libcst as cst

from ..syntax import Function
from .module import Module


@dataclass(frozen=True, slots=True)
class Prescan:
    """`calls`: the qualified names that a function calls, as far as they are imported or the module's own. `names`:
    the names and attributes that it reads."""

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
    return Prescan(
        frozenset().union(*(part.calls for part in parts)), frozenset().union(*(part.names for part in parts))
    )


def _prescan(module: Module, nodes: Iterable[cst.CSTNode], owner: str | None) -> Prescan:
    calls: set[str] = set()
    names: set[str] = set()
    for node in nodes:
        kind = type(node)
        if kind is cst.Call:
            calls |= _known_call(module, node, module.called(node), owner)  # type: ignore[arg-type]
        elif kind is cst.Name:
            names.add(node.value)  # type: ignore[attr-defined]
    return Prescan(frozenset(calls), frozenset(names))


def _known_call(module: Module, call: cst.Call, qualified: str | None, owner: str | None) -> set[str]:
    if qualified is None:
        return set()
    first, _, rest = qualified.partition(".")
    if first in {"self", "cls"}:
        return {f"{module.name}.{owner}.{rest}"} if owner is not None and "." not in rest else set()
    return {qualified} if module.is_known(call.func) else set()
