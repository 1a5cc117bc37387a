"""Describes a hook implementation by its syntax, as plugport.hookspecs.providers.validity judges it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TypeAlias

import libcst as cst

from ...hookspecs.providers.validity import Shape
from .hook_markers import Options
from .syntax import code, every_node, is_async, own_nodes, statements

Implementation: TypeAlias = "cst.FunctionDef | cst.Lambda"
_BINDERS = frozenset({"classmethod", "staticmethod"})


@dataclass(frozen=True, slots=True)
class MarkedFunction:
    """One implementation: the attribute under which a provider has it, the function (None: of another module), the
    options of the marker, the decorator or the call that applies the marker, and whether it is a method."""

    name: str
    function: Implementation | None
    options: Options
    marker: cst.BaseExpression
    is_method: bool


def is_decorated(marked: MarkedFunction) -> bool:
    """Return whether the marker is a decorator of the function."""
    return isinstance(marked.function, cst.FunctionDef) and any(
        decorator.decorator is marked.marker for decorator in marked.function.decorators
    )


def place_of(marked: MarkedFunction) -> cst.CSTNode:
    """Return what to point at: the function's name if that is the attribute's name, else what gives it another."""
    function = marked.function
    is_own = isinstance(function, cst.FunctionDef) and function.name.value == marked.name
    return function.name if is_own and isinstance(function, cst.FunctionDef) else marked.marker


def shape_of(marked: MarkedFunction, hook: str) -> Shape:
    """Describe the implementation. Another decorator than `staticmethod` may make anything of the function, so its
    kind is not known then."""
    function = marked.function
    options = {option: value != 0 and bool(value) for option, value in marked.options.items()}
    if function is None:
        return Shape(hook, [], options=options)
    if isinstance(function, cst.Lambda):
        return Shape(hook, _parameters(function.params, bound=marked.is_method), options=options)
    others = {code(item.decorator) for item in function.decorators if item.decorator is not marked.marker}
    is_plain = others <= _BINDERS
    return Shape(
        hook,
        _parameters(function.params, bound=marked.is_method and "staticmethod" not in others),
        is_plain and is_async(function),
        is_plain and any(isinstance(node, cst.Yield) for node in own_nodes(statements(function.body))),
        options,
    )


def arguments_of(function: Implementation) -> dict[str | None, cst.Param]:
    """Return the parameters by name."""
    return {node.name.value: node for node in every_node(function.params) if isinstance(node, cst.Param)}


def _parameters(params: cst.Parameters, *, bound: bool) -> list[inspect.Parameter] | None:
    """Return the parameters that a caller fills; None for a method that has no parameter for `self`."""
    kinds = inspect.Parameter
    parameters = [_parameter(param, kinds.POSITIONAL_ONLY) for param in params.posonly_params]
    parameters += [_parameter(param, kinds.POSITIONAL_OR_KEYWORD) for param in params.params]
    starred = params.star_arg if isinstance(params.star_arg, cst.Param) else None
    if bound:
        if not parameters and starred is None:
            return None
        parameters = parameters[1:]
    if starred is not None:
        parameters.append(_parameter(starred, kinds.VAR_POSITIONAL))
    parameters += [_parameter(param, kinds.KEYWORD_ONLY) for param in params.kwonly_params]
    if params.star_kwarg is not None:
        parameters.append(_parameter(params.star_kwarg, kinds.VAR_KEYWORD))
    return parameters


def _parameter(param: cst.Param, kind: inspect._ParameterKind) -> inspect.Parameter:
    default = inspect.Parameter.empty if param.default is None else None
    return inspect.Parameter(param.name.value, kind, default=default)
