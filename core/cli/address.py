"""Builds the addresses of the service's resources. Every command takes its addresses from here."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

QueryValue = str | int | bool | None


class NotAddressable(ValueError):
    """Raised for a value that no address can hold as one segment: an empty one, `.` and `..`."""


def address(*segments: str, query: Mapping[str, QueryValue] | None = None) -> str:
    """Return the path of a resource, with its query. A value of the query that is None is left out.

    Each segment is percent-encoded (RFC 3986), also its slashes, so that it stays one segment. Bytes that are not
    UTF-8 (lone surrogates from the command line) are encoded as they are. Raises `NotAddressable` for `.` and `..`,
    which clients and proxies resolve even if they are encoded, and for an empty segment, which they drop.
    """
    for segment in segments:
        if segment in {"", ".", ".."}:
            raise NotAddressable(f"{segment!r} is no id and no name")
    path = "/" + "/".join(quote(segment, safe="", errors="surrogateescape") for segment in segments)
    parameters = {name: _text(value) for name, value in (query or {}).items() if value is not None}
    encoded = urlencode(parameters, quote_via=quote, safe="", errors="surrogateescape")
    return f"{path}?{encoded}" if encoded else path


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
