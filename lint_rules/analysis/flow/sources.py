"""Finds where an error comes from: calls that return one, and functions that receive one."""

from __future__ import annotations

import ast

from ...tables.errors import CURRENT_ERROR_CALLS, HANDLER_PARAMETERS, PROCESS_CALLS, TRACEBACK_CALLS
from ..nodes import FunctionNode, parameters
from .sinks import handled_by_decorator
from .values import ERROR, EXCEPTION, MAYBE, PROCESS, Origin, Taint


def source_of(call: ast.Call, qualified: str | None) -> Taint | None:
    """Return what a call returns that was an error from the start; None if it returns no error."""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    last = qualified.rpartition(".")[2] if qualified else method
    origin = None
    is_asked_for = last == "exception" and bool(method) and not call.args and not call.keywords
    if qualified in CURRENT_ERROR_CALLS or is_asked_for:
        origin = Origin(EXCEPTION, "", call.lineno)
    elif last in TRACEBACK_CALLS and (qualified or "").startswith(("traceback.", last)):
        origin = Origin(ERROR, f"{last}()", call.lineno)
    elif last == "gather" and any(
        keyword.arg == "return_exceptions" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in call.keywords
    ):
        origin = Origin(MAYBE, "", call.lineno)
    elif qualified in PROCESS_CALLS:
        origin = Origin(PROCESS, "", call.lineno)
    return None if origin is None else frozenset({origin})


def names_its_error(function: FunctionNode) -> bool:
    """Return whether the function receives an exception, by its decorator or by the names of its parameters."""
    return handled_by_decorator(function) is not None or handles_by_parameters(function)


def handles_by_parameters(function: FunctionNode) -> bool:
    """Return whether the names of the parameters, and the second one's annotation, say that the function handles an
    exception."""
    names = own_parameters(function)[:2]
    if names not in HANDLER_PARAMETERS:
        return False
    annotation = annotation_of(function, names[1])
    return annotation is None or _may_be_error(annotation)


def own_parameters(function: FunctionNode) -> list[str]:
    """Return the names of the parameters without `self` and `cls`."""
    return [name for name in parameters(function) if name not in {"self", "cls"}]


def annotation_of(function: FunctionNode, name: str) -> ast.expr | None:
    """Return the annotation of a parameter."""
    return next((argument.annotation for argument in function.args.args if argument.arg == name), None)


def _may_be_error(annotation: ast.expr) -> bool:
    """Return whether an annotation has a capitalised name, as exceptions do; `str` and `dict[str, str]` have not."""
    names = []
    for node in ast.walk(annotation):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                names.append(name)
    return any(name[:1].isupper() and name not in {"Optional", "Any"} for name in names)
