"""Finds where something reaches a client: responses, exceptions that become responses, web sockets, raw ASGI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from ...tables.web_frameworks import HANDLER_DECORATORS, REFUSALS, RESPONSES, ROUTES, SOCKET_METHODS, UNSENT_ARGUMENTS
from ..syntax import Function, is_constant, positional, string_value

_MEDIA = {
    **dict.fromkeys(SOCKET_METHODS, "a web socket's message"),
    "TemplateResponse": "a template",
    "set_cookie": "a cookie",
}
"""By a method that sends its arguments: in which kind of message."""


@dataclass(frozen=True, slots=True)
class Sink:
    """What a call sends, and in which kind of message."""

    values: tuple[cst.BaseExpression, ...]
    medium: str


def sink_of(call: cst.Call, qualified: str | None, is_response: bool, parameters: frozenset[str]) -> Sink | None:
    """Return which of the call's arguments reach a client; None if none does. `is_response`: the called class is a
    response of the project's own. `parameters` are those of the function around the call."""
    if qualified in RESPONSES or is_response:
        return Sink(_sent(call), "a response")
    if qualified in REFUSALS:
        return Sink((*_unnamed(call)[1:], *_keywords(call, "detail", "headers", "reason")), "an error response")
    if isinstance(call.func, cst.Attribute):
        return _method(call, call.func.attr.value)
    if isinstance(call.func, cst.Name) and call.func.value == "send" and "send" in parameters:
        values = _unnamed(call)
        return None if any(map(_is_lifespan, values)) else Sink(tuple(values), "an ASGI message")
    return None


def _is_lifespan(message: cst.BaseExpression) -> bool:
    """Return whether an ASGI message is about the application's start and stop: no client sees it."""
    return isinstance(message, cst.Dict) and any(
        (string_value(element.value) or "").startswith("lifespan.") for element in message.elements
    )


def _method(call: cst.Call, name: str) -> Sink | None:
    if name == "close":
        values = (*_unnamed(call)[1:2], *_keywords(call, "reason"))
        return Sink(values, "a web socket's close reason") if values else None
    return Sink(_sent(call), _MEDIA[name]) if name in _MEDIA else None


def _sent(call: cst.Call) -> tuple[cst.BaseExpression, ...]:
    return tuple(
        item.value for item in call.args if item.keyword is None or item.keyword.value not in UNSENT_ARGUMENTS
    )


def _unnamed(call: cst.Call) -> list[cst.BaseExpression]:
    return [item.value for item in call.args if item.keyword is None and item.star != "**"]


def _keywords(call: cst.Call, *names: str) -> list[cst.BaseExpression]:
    return [item.value for item in call.args if item.keyword is not None and item.keyword.value in names]


def is_route(function: Function) -> bool:
    """Return whether FastAPI sends what the function returns: it has a route's decorator."""
    for item in function.decorators:
        decorator = item.decorator
        if not isinstance(decorator, cst.Call) or not isinstance(decorator.func, cst.Attribute):
            continue
        if decorator.func.attr.value in ROUTES:
            path = next(iter((*_unnamed(decorator), *_keywords(decorator, "path"))), None)
            if path is None or not is_constant(path) or (string_value(path) or "/")[:1] == "/":
                return True
    return False


def handled_by_decorator(function: Function) -> cst.BaseExpression | None:
    """Return the exception class that the function handles by its decorator."""
    for item in function.decorators:
        decorator = item.decorator
        if (
            isinstance(decorator, cst.Call)
            and isinstance(decorator.func, cst.Attribute)
            and decorator.func.attr.value in HANDLER_DECORATORS
            and (kinds := positional(decorator))
        ):
            return kinds[0]
    return None


def registered_handlers(
    calls: Iterable[cst.Call], assignments: Iterable[cst.Assign]
) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """Yield exception class and handler of each registration among a module's calls and assignments."""
    for call in calls:
        for table in _keywords(call, "exception_handlers"):
            yield from _pairs(table)
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "add_exception_handler":
            values = positional(call)
            if len(values) > 1:
                yield values[0], values[1]
    for assignment in assignments:
        target = assignment.targets[0].target
        if len(assignment.targets) == 1 and isinstance(target, cst.Name):
            name = target.value.lower()
            if "exception_handlers" in name or name == "handlers":
                yield from _pairs(assignment.value)


def _pairs(table: cst.BaseExpression) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    if isinstance(table, cst.Dict):
        yield from ((item.key, item.value) for item in table.elements if isinstance(item, cst.DictElement))
