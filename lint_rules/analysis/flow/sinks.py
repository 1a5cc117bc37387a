"""Finds where something reaches a client: responses, exceptions that become responses, web sockets, raw ASGI."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...tables.web_frameworks import HANDLER_DECORATORS, REFUSALS, RESPONSES, ROUTES, SOCKET_METHODS, UNSENT_ARGUMENTS
from ..nodes import FunctionNode

_MEDIA = {
    **dict.fromkeys(SOCKET_METHODS, "a web socket's message"),
    "TemplateResponse": "a template",
    "set_cookie": "a cookie",
}
"""By a method that sends its arguments: in which kind of message."""


@dataclass(frozen=True, slots=True)
class Sink:
    """What a call sends, and in which kind of message."""

    values: tuple[ast.expr, ...]
    medium: str


def sink_of(call: ast.Call, qualified: str | None, is_response: bool, parameters: frozenset[str]) -> Sink | None:
    """Return which of the call's arguments reach a client; None if none does. `is_response`: the called class is a
    response of the project's own. `parameters` are those of the function around the call."""
    if qualified in RESPONSES or is_response:
        return Sink(_sent(call), "a response")
    if qualified in REFUSALS:
        return Sink((*call.args[1:], *_keywords(call, "detail", "headers", "reason")), "an error response")
    if isinstance(call.func, ast.Attribute):
        return _method(call, call.func.attr)
    if isinstance(call.func, ast.Name) and call.func.id == "send" and "send" in parameters:
        return None if any(map(_is_lifespan, call.args)) else Sink(tuple(call.args), "an ASGI message")
    return None


def _is_lifespan(message: ast.expr) -> bool:
    """Return whether an ASGI message is about the application's start and stop: no client sees it."""
    return isinstance(message, ast.Dict) and any(
        isinstance(value, ast.Constant) and str(value.value).startswith("lifespan.") for value in message.values
    )


def _method(call: ast.Call, name: str) -> Sink | None:
    if name == "close":
        values = (*call.args[1:2], *_keywords(call, "reason"))
        return Sink(values, "a web socket's close reason") if values else None
    return Sink(_sent(call), _MEDIA[name]) if name in _MEDIA else None


def _sent(call: ast.Call) -> tuple[ast.expr, ...]:
    return (*call.args, *(keyword.value for keyword in call.keywords if keyword.arg not in UNSENT_ARGUMENTS))


def _keywords(call: ast.Call, *names: str) -> list[ast.expr]:
    return [keyword.value for keyword in call.keywords if keyword.arg in names]


def is_route(function: FunctionNode) -> bool:
    """Return whether FastAPI sends what the function returns: it has a route's decorator."""
    for decorator in function.decorator_list:
        if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
            continue
        if decorator.func.attr in ROUTES:
            path = next(iter((*decorator.args, *_keywords(decorator, "path"))), None)
            if path is None or not isinstance(path, ast.Constant) or str(path.value)[:1] in {"/", ""}:
                return True
    return False


def handled_by_decorator(function: FunctionNode) -> ast.expr | None:
    """Return the exception class that the function handles by its decorator."""
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr=name), args=[kind, *_]) if name in HANDLER_DECORATORS:
                return kind
    return None


def registered_handlers(
    calls: Iterable[ast.Call], assignments: Iterable[ast.Assign]
) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield exception class and handler of each registration among a module's calls and assignments."""
    for call in calls:
        for table in _keywords(call, "exception_handlers"):
            yield from _pairs(table)
        match call:
            case ast.Call(func=ast.Attribute(attr="add_exception_handler"), args=[kind, handler, *_]):
                yield kind, handler
    for assignment in assignments:
        match assignment.targets:
            case [ast.Name(id=name)] if "exception_handlers" in name.lower() or name.lower() == "handlers":
                yield from _pairs(assignment.value)


def _pairs(table: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(table, ast.Dict):
        yield from ((key, value) for key, value in zip(table.keys, table.values, strict=True) if key is not None)
