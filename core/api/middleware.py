"""The ASGI boundary: request id, body limit, access log, metrics, and the last resort for an error."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...hookspecs import errors
from .. import telemetry
from . import problems

if TYPE_CHECKING:
    from ..telemetry import Metrics

log = logging.getLogger("plugport.access")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")


class Edge:
    """Pure ASGI middleware around the whole application. A request's id is the client's own `X-Request-ID` where
    that is a plain word of at most 64 characters, else a new one; every response repeats it."""

    def __init__(self, app: ASGIApp, metrics: Metrics, body_max_bytes: int) -> None:
        self._app, self._metrics, self._limit = app, metrics, body_max_bytes
        self._log = logging.getLogger("plugport.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": ""})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _REQUEST_ID.match(given) else secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = request_id
        token = telemetry.request_id.set(request_id)
        started = time.perf_counter()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            length = headers.get(b"content-length", b"")
            if length.isdigit() and int(length) > self._limit:
                raise errors.RequestTooLarge(self._limit)
            await self._app(scope, self._limited(receive), send_marked)
        except errors.PlugportError as error:
            await self._answer(error, scope, receive, send_marked, request_id, bool(status))
        except Exception as error:
            log.exception("unforeseen error")
            internal = errors.Internal(type(error).__name__)
            await self._answer(internal, scope, receive, send_marked, request_id, bool(status))
        finally:
            self._tell(scope, status, time.perf_counter() - started)
            telemetry.request_id.reset(token)

    def _limited(self, receive: Receive) -> Receive:
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise errors.RequestTooLarge(self._limit)
            return message

        return limited

    async def _answer(
        self, error: errors.PlugportError, scope: Scope, receive: Receive, send: Send, request_id: str, begun: bool
    ) -> None:
        if error.status >= 500:
            log.error("%s: %s", error.slug, error, exc_info=error)
        elif error.reason or error.__cause__:
            log.info("%s: %s", error.slug, error, exc_info=error if error.__cause__ else None)
        if not begun:
            await problems.response(error, request_id, scope["path"])(scope, receive, send)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        endpoint = scope.get("state", {}).get("route", "(none)")
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._metrics.requests.labels(method, endpoint, str(status)).inc()
        self._metrics.seconds.labels(endpoint).observe(seconds)
        if self._log.isEnabledFor(logging.INFO):
            self._log.info(
                "%s %s %d", method, endpoint, status, extra={"path": scope["path"], "ms": round(seconds * 1000, 2)}
            )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
