"""Starlette, FastAPI and sse-starlette."""

from __future__ import annotations

from .framework import VERBS, Framework, Sends, names_in

_MODULES = (
    "starlette.responses", "fastapi.responses", "fastapi", "starlette.templating", "fastapi.templating",
    "sse_starlette", "sse_starlette.sse", "fastapi.sse",
)  # fmt: skip
_RESPONSES = names_in(
    _MODULES,
    (
        "Response", "JSONResponse", "HTMLResponse", "PlainTextResponse", "RedirectResponse", "StreamingResponse",
        "FileResponse", "ORJSONResponse", "UJSONResponse", "EventSourceResponse", "TemplateResponse",
        "_TemplateResponse",
    ),
)  # fmt: skip
_TEMPLATES = ("starlette.templating.Jinja2Templates", "fastapi.templating.Jinja2Templates")
_HEADERS = ("starlette.datastructures.MutableHeaders",)
_SOCKETS = ("starlette.websockets.WebSocket", "fastapi.WebSocket", "fastapi.websockets.WebSocket")

STARLETTE = Framework(
    "Starlette and FastAPI",
    sends=(
        Sends(_RESPONSES),
        Sends(
            names_in(
                ("starlette.exceptions", "fastapi", "fastapi.exceptions", "starlette.websockets"),
                ("HTTPException", "WebSocketException"),
            ),
            (1, 2, "detail", "headers", "reason"),
            "an error response",
        ),
        Sends(
            ("fastapi.exceptions.RequestValidationError", "fastapi.exceptions.WebSocketRequestValidationError"),
            (),
            "an error response",
        ),
        Sends(
            (*names_in(_SOCKETS, ("send_text", "send_json", "send_bytes", "send")),
             ".send_text", ".send_json", ".send_bytes"),
            (), "a web socket's message",
        ),
        Sends((*names_in(_SOCKETS, ("close",)), ".close"), (1, "reason"), "a web socket's close reason"),
        Sends(
            (*names_in(_TEMPLATES, ("TemplateResponse",)),
             ".TemplateResponse"),
            (), "a template",
        ),
        Sends((".set_cookie",), (), "a cookie"),
        Sends(names_in(_HEADERS, ("append", "setdefault", "update")), (), "a header"),
    ),
    responses=(*_RESPONSES, *_HEADERS),
    gives={".TemplateResponse": "starlette.responses.Response", ".call_next": "starlette.responses.Response"},
    routes=(
        *(f".{verb}" for verb in sorted(VERBS)), ".trace", ".route", ".api_route", ".websocket_route",
        ".add_api_route", "fastapi.routing.APIRoute", "fastapi.APIRoute",
    ),
    handlers=(".exception_handler", ".add_exception_handler"),
    streams=names_in(_MODULES, ("StreamingResponse", "EventSourceResponse", "Response")),
)  # fmt: skip
