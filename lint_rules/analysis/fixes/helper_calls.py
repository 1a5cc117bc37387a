"""Turns a question to an engine about a container's state into a call of the one helper that may ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import libcst as cst

from ...engine.ancestors import ancestors
from ...engine.contract import JSON, Fix
from ...engine.edits import Import, import_from, needs_parentheses, replace_node
from ...engine.source_file import SourceFile
from ..syntax import argument, every_node, is_async, last_name, parameters, statements, string_value

_ASKS = frozenset({"get", "inspect", "inspect_container"})
_IDS = ("container", "container_id", "id", "id_or_name", "key", "name", "resource_id")
_STATES = {"Dead": "dead", "Paused": "paused", "Restarting": "restarting", "Running": "running"}
"""Fields of `State` that are true or false, with the status that says the same."""
_STATUS = frozenset({"Status", "status"})
_ANSWERS = _STATUS | _STATES.keys()


@dataclass(frozen=True, slots=True)
class Helper:
    """The one function that may ask. `answer` is `str`, `bool`, or empty if the code does not say."""

    path: str
    module: str
    name: str
    is_async: bool
    answer: str

    def to_json(self) -> JSON:
        """Return it for a summary."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: JSON) -> Helper | None:
        """Return what `to_json` made; None for anything else."""
        return cls(**value) if isinstance(value, Mapping) else None  # type: ignore[arg-type]


def describe_helper(file: SourceFile, name: str) -> Helper | None:
    """Return the module-level function of that name, if a call with one argument is enough for it."""
    functions = [
        item for item in statements(file.tree()) if isinstance(item, cst.FunctionDef) and item.name.value == name
    ]
    if file.module is None or len(functions) != 1:
        return None
    needed = [parameter for parameter in parameters(functions[0]) if parameter.default is None]
    keyword_only = {parameter.name.value for parameter in functions[0].params.kwonly_params}
    if len(needed) != 1 or needed[0].name.value in keyword_only:
        return None
    return Helper(file.relative, file.module, name, is_async(functions[0]), _answer(functions[0]))


def helper_call(file: SourceFile, node: cst.CSTNode, helper: Helper) -> Fix | None:
    """Return the fix for a node that asks for a container, or for its state. None if the code does more with the
    container than to ask for its state, and if the helper cannot be called there."""
    call = _question(file, node)
    name = argument(call, 0, *_IDS) if call is not None else None
    if call is None or name is None:
        return None
    around = list(ancestors(file, call))
    whole, state = _whole_question(call, around)
    suffix = _comparison(state, helper.answer)
    function = next((parent for parent in around if isinstance(parent, cst.FunctionDef | cst.Lambda)), None)
    is_in_coroutine = isinstance(function, cst.FunctionDef) and is_async(function)
    if suffix is None or (helper.is_async and not is_in_coroutine):
        return None
    imported = _import(file, helper)
    if imported is None:
        return None
    start, end = file.offsets(name)
    text = f"{'await ' if helper.is_async else ''}{imported.name}({file.text[start:end]}){suffix}"
    parent = next(ancestors(file, whole), None)
    is_bound = isinstance(parent, cst.Comparison | cst.ComparisonTarget | cst.BinaryOperation)
    if suffix and (is_bound or needs_parentheses(file, whole)):
        text = f"({text})"
    edit = replace_node(file, whole, text)
    return Fix(f"ask {helper.name}()", (*imported.edits, edit))


def _question(file: SourceFile, node: cst.CSTNode) -> cst.Call | None:
    """Return the call that asks for the container, of a node that is part of it or reads what it returns."""
    if isinstance(node, cst.Attribute) and node.attr.value in {"attrs", "health", "status"}:
        value = node.value.expression if isinstance(node.value, cst.Await) else node.value
        node = value
    elif isinstance(node, cst.Attribute):
        parent = next(ancestors(file, node), None)
        node = parent if isinstance(parent, cst.Call) and parent.func is node else node
    is_question = (
        isinstance(node, cst.Call) and last_name(node.func) in _ASKS and isinstance(node.func, cst.Attribute)
    )
    return node if is_question and isinstance(node, cst.Call) else None


def _whole_question(call: cst.Call, around: list[cst.CSTNode]) -> tuple[cst.BaseExpression, str]:
    """Return the expression that reads a part of what the call returns, down to a state, and that part's name."""
    whole: cst.BaseExpression = call
    state = ""
    for parent in around:
        if state in _ANSWERS:
            break
        if isinstance(parent, cst.Await):
            whole = parent
        elif isinstance(parent, cst.Attribute) and parent.value is whole:
            whole, state = parent, parent.attr.value
        elif isinstance(parent, cst.Subscript) and parent.value is whole:
            index = parent.slice[0].slice
            whole, state = parent, (string_value(index.value) if isinstance(index, cst.Index) else None) or "?"
        else:
            break
    return whole, state


def _comparison(state: str, answer: str) -> str | None:
    """Return what stands behind the helper's call so that it says the same; None if it cannot."""
    if state in _STATUS:
        return "" if answer != "bool" else None
    if state in _STATES and answer == "str":
        return f' == "{_STATES[state]}"'
    return "" if state == "Running" and answer == "bool" else None


def _answer(function: cst.FunctionDef) -> str:
    """Return what the function returns, by its annotation, or by its `return` statements if all read a status."""
    if function.returns is not None:
        name = last_name(function.returns.annotation)
        return name if name in {"bool", "str"} else ""
    returned = [node.value for node in every_node(function.body) if isinstance(node, cst.Return)]
    return "str" if returned and all(value is not None and _is_status(value) for value in returned) else ""


def _is_status(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.Subscript):
        index: Any = value.slice[0].slice
        return isinstance(index, cst.Index) and string_value(index.value) == "Status"
    return string_value(value) is not None or (isinstance(value, cst.Attribute) and value.attr.value == "status")


def _import(file: SourceFile, helper: Helper) -> Import | None:
    return Import(helper.name, ()) if file.relative == helper.path else import_from(file, helper.module, helper.name)
