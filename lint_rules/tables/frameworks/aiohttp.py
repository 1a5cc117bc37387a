"""aiohttp's server, and aiohttp-jinja2."""

from __future__ import annotations

from .framework import Framework, Sends, names_in

_WEB = ("aiohttp.web", "aiohttp.web_response")
_RESPONSES = (*names_in(_WEB, ("Response", "StreamResponse")), "aiohttp.web.FileResponse")
_SOCKETS = ("aiohttp.web.WebSocketResponse", "aiohttp.web_ws.WebSocketResponse")

AIOHTTP = Framework(
    "aiohttp",
    sends=(
        Sends((*_RESPONSES, *names_in(_WEB, ("json_response",)))),
        Sends(("aiohttp.web.HTTP*", "aiohttp.web_exceptions.HTTP*"), (), "an error response"),
        Sends(names_in(_RESPONSES, ("write", "write_eof")), (0, "data")),
        Sends(names_in(_SOCKETS, ("send_str", "send_json", "send_bytes")), (0, "data"), "a web socket's message"),
        Sends(names_in(_SOCKETS, ("close",)), (1, "message"), "a web socket's close reason"),
        Sends(
            ("aiohttp_jinja2.render_template", "aiohttp_jinja2.render_template_async"), (2, "context"), "a template"
        ),
    ),
    responses=(*_RESPONSES, *_SOCKETS),
    gives={
        **dict.fromkeys(names_in(_WEB, ("json_response",)), "aiohttp.web.Response"),
        "aiohttp.ClientSession.ws_connect": "aiohttp.ClientWebSocketResponse",
    },
)
