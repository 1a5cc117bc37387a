"""Where something reaches a client: responses, exceptions that become responses, web sockets, raw ASGI."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_RESPONSES: Final = (
    "Response", "JSONResponse", "HTMLResponse", "PlainTextResponse", "RedirectResponse", "StreamingResponse",
    "FileResponse", "ORJSONResponse", "UJSONResponse", "EventSourceResponse", "TemplateResponse", "_TemplateResponse",
)  # fmt: skip
RESPONSES: Final = frozenset(
    f"{module}.{name}"
    for module in ("starlette.responses", "fastapi.responses", "fastapi", "starlette.templating", "sse_starlette",
                   "sse_starlette.sse", "fastapi.sse")
    for name in _RESPONSES
)  # fmt: skip
REFUSALS: Final = frozenset(
    f"{module}.{name}"
    for module in ("starlette.exceptions", "fastapi", "fastapi.exceptions", "starlette.websockets")
    for name in ("HTTPException", "WebSocketException")
)
EVENTS: Final = frozenset({"sse_starlette.ServerSentEvent", "sse_starlette.sse.ServerSentEvent"})
_QUIET: Final = frozenset({"status_code", "background", "media_type", "filename", "code"})
_SOCKET_METHODS: Final = frozenset({"send_text", "send_json", "send_bytes"})
ROUTES: Final = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "trace", "route", "api_route", "websocket_route"}
)
HANDLER_DECORATORS: Final = frozenset({"exception_handler", "errorhandler"})


@dataclass(frozen=True, slots=True)
class Sink:
    """What a call sends, and in what."""

    values: tuple[ast.expr, ...]
    what: str


def sink_of(call: ast.Call, qualified: str | None, is_response: bool, parameters: frozenset[str]) -> Sink | None:
    """What of the call's arguments reaches a client; None where nothing does. `is_response` says that the callee is a
    response class of the project's own; `parameters` are those of the function around."""
    if qualified in RESPONSES or is_response:
        return Sink(tuple(_loud(call)), "a response")
    if qualified in REFUSALS:
        values = [*call.args[1:], *(one.value for one in call.keywords if one.arg in {"detail", "headers", "reason"})]
        return Sink(tuple(values), "an error response")
    if isinstance(call.func, ast.Attribute):
        return _method(call, call.func)
    if isinstance(call.func, ast.Name) and call.func.id == "send" and "send" in parameters:
        if any(_tells_the_server(one) for one in call.args):
            return None
        return Sink(tuple(call.args), "an ASGI message")
    return None


def _tells_the_server(message: ast.expr) -> bool:
    """Whether an ASGI message is one about the application's start and stop, which no client sees."""
    return isinstance(message, ast.Dict) and any(
        isinstance(value, ast.Constant) and str(value.value).startswith("lifespan.") for value in message.values
    )


def _method(call: ast.Call, func: ast.Attribute) -> Sink | None:
    if func.attr in _SOCKET_METHODS:
        return Sink(tuple(_loud(call)), "a web socket's message")
    if func.attr == "close":
        values = [*call.args[1:2], *(one.value for one in call.keywords if one.arg == "reason")]
        return Sink(tuple(values), "a web socket's close reason") if values else None
    if func.attr == "TemplateResponse":
        return Sink(tuple(_loud(call)), "a template")
    if func.attr == "set_cookie":
        return Sink(tuple(_loud(call)), "a cookie")
    return None


def _loud(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    yield from (one.value for one in call.keywords if one.arg not in _QUIET)


def is_route(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether what the function returns is sent (FastAPI): it has a route's decorator."""
    for decorator in function.decorator_list:
        named = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(decorator, ast.Call) and isinstance(named, ast.Attribute) and named.attr in ROUTES:
            first = decorator.args[0] if decorator.args else None
            paths = [one.value for one in decorator.keywords if one.arg == "path"]
            place = first if first is not None else (paths[0] if paths else None)
            if place is None or not isinstance(place, ast.Constant) or str(place.value)[:1] in {"/", ""}:
                return True
    return False


def handled_by_decorator(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    """The exception class that the function handles by its decorator."""
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr=name), args=[kind, *_]) if name in HANDLER_DECORATORS:
                return kind
    return None


def registered(calls: Iterable[ast.Call], assignments: Iterable[ast.Assign]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Exception class and handler of each registration among a module's calls and assignments."""
    for call in calls:
        for keyword in call.keywords:
            if keyword.arg == "exception_handlers" and isinstance(keyword.value, ast.Dict):
                yield from _pairs(keyword.value)
        match call:
            case ast.Call(func=ast.Attribute(attr="add_exception_handler"), args=[kind, handler, *_]):
                yield kind, handler
    for one in assignments:
        match one:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() as value) if (
                "exception_handlers" in name.lower() or name.lower() == "handlers"
            ):
                yield from _pairs(value)


def _pairs(table: ast.Dict) -> Iterator[tuple[ast.expr, ast.expr]]:
    yield from ((key, value) for key, value in zip(table.keys, table.values, strict=True) if key is not None)
