"""Finds where an error comes from: calls that return one, and functions that receive one."""

from __future__ import annotations

import libcst as cst

from ...tables.errors import (
    COMMAND_CLIENTS,
    CURRENT_ERROR_CALLS,
    HANDLER_PARAMETERS,
    PROCESS_CALLS,
    STATUS_AND_OUTPUT,
    TRACEBACK_CALLS,
)
from ..syntax import Function, annotation_of, every_node, is_named, parameter_names, string_value
from .facts import FunctionFacts
from .values import CLIENT, ERROR, EXCEPTION, MAYBE, OUTPUT, PROCESS, STATUS

EXITS = frozenset({"__exit__", "__aexit__"})
Source = tuple[str, str, tuple[str, ...]]


def source_of(call: cst.Call, qualified: str | None) -> tuple[Source, ...]:
    """Return kind, name and path of what a call returns that was an error from the start."""
    method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    last = qualified.rpartition(".")[2] if qualified else method
    if qualified in CURRENT_ERROR_CALLS or (last == "exception" and method and not call.args):
        return ((EXCEPTION, "", ()),)
    if last in TRACEBACK_CALLS and (qualified or "").startswith(("traceback.", last)):
        return ((ERROR, f"{last}()", ()),)
    if last == "gather" and any(
        item.keyword is not None and item.keyword.value == "return_exceptions" and is_named(item.value, "True")
        for item in call.args
    ):
        return ((MAYBE, "", ()),)
    if qualified in COMMAND_CLIENTS:
        return ((CLIENT, "", ()),)
    if qualified in STATUS_AND_OUTPUT:
        return (STATUS, "", ("0",)), (OUTPUT, "", ("1",))
    return ((PROCESS, "", ()),) if qualified in PROCESS_CALLS else ()


def handles_by_parameters(function: Function) -> bool:
    """Return whether the names of the parameters, and the second one's annotation, say that the function handles an
    exception."""
    names = own_parameters(function)[:2]
    if names not in HANDLER_PARAMETERS:
        return False
    annotation = annotation_of(function, names[1])
    return annotation is None or _may_be_error(annotation)


def own_parameters(function: Function) -> list[str]:
    """Return the names of the parameters without `self` and `cls`."""
    return [name for name in parameter_names(function) if name not in {"self", "cls"}]


def signature_of(function: Function, path: str) -> FunctionFacts:
    """Return the facts of a function of which only the parameters are known."""
    params = function.params
    star = params.star_arg.name.value if isinstance(params.star_arg, cst.Param) else ""
    rest = params.star_kwarg.name.value if params.star_kwarg is not None else ""
    return FunctionFacts(path, tuple(own_parameters(function)), star, rest)


def _may_be_error(annotation: cst.BaseExpression) -> bool:
    """Return whether an annotation has a capitalised name, as exceptions do; `str` and `dict[str, str]` have not."""
    names = [
        node.value if isinstance(node, cst.Name) else string_value(node) or "" for node in every_node(annotation)
    ]
    return any(name[:1].isupper() and name not in {"Optional", "Any", "None"} for name in names)
