"""The standard library's `http.server`."""

from __future__ import annotations

from .framework import Framework, Sends, names_in

_HANDLERS = names_in(
    ("http.server",), ("BaseHTTPRequestHandler", "SimpleHTTPRequestHandler", "CGIHTTPRequestHandler")
)

HTTP_SERVER = Framework(
    "http.server",
    sends=(
        Sends(names_in(_HANDLERS, ("wfile.write", "wfile.writelines")), (0,)),
        Sends(names_in(_HANDLERS, ("send_error",)), (1, 2, "message", "explain"), "an error response"),
        Sends(names_in(_HANDLERS, ("send_response", "send_response_only")), (1, "message")),
        Sends(names_in(_HANDLERS, ("send_header",)), (1, "value"), "a header"),
    ),
)
