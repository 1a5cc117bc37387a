"""Litestar."""

from __future__ import annotations

from .framework import VERBS, Framework, Sends, names_in

_RESPONSES = (
    *names_in(
        ("litestar", "litestar.response", "litestar.response.base"),
        ("Response", "Redirect", "Template", "Stream", "ServerSentEvent", "File"),
    ),
    "litestar.response.base.ASGIResponse",
)
_SOCKETS = names_in(("litestar", "litestar.connection"), ("WebSocket",))

LITESTAR = Framework(
    "Litestar",
    sends=(
        Sends(_RESPONSES),
        Sends(("litestar.exceptions.*",), (0, 1, "detail", "extra", "headers"), "an error response"),
        Sends(
            names_in(_SOCKETS, ("send_text", "send_json", "send_bytes", "send_data", "send_msgpack")),
            (0, "data"),
            "a web socket's message",
        ),
        Sends(names_in(_SOCKETS, ("close",)), (1, "reason"), "a web socket's close reason"),
    ),
    responses=_RESPONSES,
    routes=names_in(("litestar", "litestar.handlers"), (*sorted(VERBS), "route")),
    streams=names_in(("litestar.response",), ("Stream", "ServerSentEvent")),
)
