"""The ASGI boundary: request id, body limit, access log, metrics, and the last resort for an error."""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...hookspecs import errors
from .. import telemetry
from ..disk_space import unforeseen
from . import problems

log = logging.getLogger("plugport.access")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMiddleware:
    """Wraps the whole application as pure ASGI middleware.

    A request's id is the client's `X-Request-ID` if that has 1 to 64 letters, digits, dots, dashes and underscores;
    otherwise a new one. Every response repeats it.
    """

    def __init__(self, app: ASGIApp, metrics: telemetry.Metrics, body_max_bytes: int) -> None:
        self._app, self._metrics, self._limit = app, metrics, body_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": ""})
        elif scope["type"] == "http":
            await self._handle_request(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        client_id = headers.get(b"x-request-id", b"")
        request_id = client_id.decode() if _REQUEST_ID.match(client_id) else secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = request_id
        token = telemetry.request_id.set(request_id)
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        async def send_problem(error: errors.PlugportError) -> None:
            _log_error(error)
            if not status:
                response = problems.response(error, request_id, scope["path"])
                await response(scope, receive, send_with_headers)

        try:
            length = headers.get(b"content-length", b"")
            if length.isdigit() and int(length) > self._limit:
                raise errors.RequestTooLarge(self._limit)
            if b"%2f" in (scope.get("raw_path") or b"").lower():
                raise errors.RouteNotFound("a segment with a slash would reach another route once it is decoded")
            await self._app(scope, self._limit_body(receive), send_with_headers)
        except errors.PlugportError as error:
            await send_problem(error)
        except Exception as error:  # noqa: BLE001 - the last resort; `send_problem` logs it
            await send_problem(unforeseen(error))
        finally:
            self._record(scope, status, time.perf_counter() - started)
            telemetry.request_id.reset(token)

    def _limit_body(self, receive: Receive) -> Receive:
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise errors.RequestTooLarge(self._limit)
            return message

        return receive_limited

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope.get("state", {}).get("route", "(none)")
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        fields = {"path": scope["path"], "ms": round(seconds * 1000, 2)}
        log.info("%s %s %d", method, route, status, extra=fields)


def _log_error(error: errors.PlugportError) -> None:
    if error.status >= 500:
        log.error("%s: %s", error.slug, error, exc_info=error)
    elif error.reason or error.__cause__:
        log.info("%s: %s", error.slug, error, exc_info=error if error.__cause__ else None)
