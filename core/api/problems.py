"""The only place that renders an error: `application/problem+json` (RFC 9457) from the one tree of errors."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response

from ...hookspecs import errors
from ...hookspecs.values import JSON

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:plugport:problem:"


def document(error: errors.PlugportError, request_id: str, instance: str | None = None) -> dict[str, JSON]:
    """Make the problem document. All its texts are ours and written for a client."""
    kind = type(error)
    fields: dict[str, JSON] = {
        "type": TYPE_PREFIX + kind.slug,
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
    }
    if instance is not None:
        fields["instance"] = instance
    return fields | dict(error.members) | {"request_id": request_id}


def response(error: errors.PlugportError, request_id: str, instance: str) -> Response:
    """Make the response for an error, with the headers that its status needs."""
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(int(error.retry_after))
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="plugport"'
    if isinstance(error, errors.RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.size}"
    if isinstance(error, errors.MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    return stored(document(error, request_id, instance), headers)


def stored(problem: Mapping[str, JSON], headers: Mapping[str, str] | None = None) -> Response:
    """Make the response for a problem document that was rendered earlier, as part of an operation."""
    fields = dict(problem)
    extra = dict(headers or {})
    retry_after = fields.pop("retry_after", None)
    if isinstance(retry_after, int):
        extra["Retry-After"] = str(retry_after)
    status = fields.get("status")
    return Response(
        json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace"),
        status if isinstance(status, int) else 500,
        extra,
        MEDIA_TYPE,
    )
