"""Tornado, and the handlers of jupyter-server."""

from __future__ import annotations

from .framework import Framework, Sends, names_in

_HANDLERS = (
    "tornado.web.RequestHandler", "tornado.web.StaticFileHandler", "tornado.websocket.WebSocketHandler",
    "jupyter_server.base.handlers.JupyterHandler", "jupyter_server.base.handlers.APIHandler",
)  # fmt: skip
_REQUEST = "a response"

TORNADO = Framework(
    "Tornado",
    sends=(
        Sends(names_in(_HANDLERS, ("write", "finish", "redirect")), (0, "chunk", "url"), _REQUEST),
        Sends(names_in(_HANDLERS, ("render",)), (), "a template"),
        Sends(names_in(_HANDLERS, ("set_header", "add_header")), (1, "value"), "a header"),
        Sends(
            names_in(_HANDLERS, ("set_cookie", "set_signed_cookie", "set_secure_cookie")), (1, "value"), "a cookie"
        ),
        Sends(names_in(_HANDLERS, ("set_status",)), (1, "reason"), _REQUEST),
        Sends(names_in(_HANDLERS, ("send_error",)), ("reason",), "an error response"),
        Sends(("tornado.web.HTTPError",), ("reason",), "an error response"),
        Sends(names_in(_HANDLERS, ("write_message",)), (0, "message"), "a web socket's message"),
        Sends(names_in(_HANDLERS, ("close",)), (1, "reason"), "a web socket's close reason"),
    ),
)
