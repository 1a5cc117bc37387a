"""Names of Starlette, FastAPI and sse-starlette that send something to a client: facts behind PP002."""

from __future__ import annotations

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
UNSENT_ARGUMENTS: Final = frozenset({"status_code", "background", "media_type", "filename", "code"})
SOCKET_METHODS: Final = frozenset({"send_text", "send_json", "send_bytes"})
ROUTES: Final = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "trace", "route", "api_route", "websocket_route"}
)
STREAMING_RESPONSES: Final = frozenset({"StreamingResponse", "EventSourceResponse"})
HANDLER_DECORATORS: Final = frozenset({"exception_handler", "errorhandler"})
