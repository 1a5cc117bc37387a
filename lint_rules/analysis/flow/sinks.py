"""Finds where something reaches a client: responses, exceptions that become responses, web sockets, raw ASGI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import libcst as cst

from ...tables.frameworks import Sends
from ..syntax import last_name, string_value
from .receivers import Receivers

UNSENT: Final = frozenset(
    {
        "background", "charset", "code", "content_type", "filename", "media_type", "mimetype", "permanent", "request",
        "status", "status_code", "template_name",
    }
)  # fmt: skip
"""Keywords of a call that sends, whose values hold no text for a client."""
_RESPONSE_METHODS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "headers.__setitem__", "headers.add", "headers.add_header", "headers.append", "headers.extend",
            "headers.set", "headers.setdefault", "headers.update",
        ),
        "a header",
    ),
    **dict.fromkeys(("set_cookie", "set_signed_cookie"), "a cookie"),
    **dict.fromkeys(("set_data", "stream.write", "write", "writelines"), "a response"),
}  # fmt: skip
_METHODS: Final = frozenset(name.rpartition(".")[2] for name in _RESPONSE_METHODS)
_RESPONSE_FIELDS: Final = frozenset(
    {
        "[]", "body", "body_iterator", "content", "context_data", "cookies", "data", "headers", "raw_headers",
        "reason", "reason_phrase", "response", "streaming_content", "text",
    }
)  # fmt: skip
"""What of a response is sent if something is put into it; `[]` are Django's headers."""


@dataclass(frozen=True, slots=True)
class Sink:
    """What a call sends, and in which kind of message."""

    values: tuple[cst.BaseExpression, ...]
    medium: str


def sink_of(call: cst.Call, qualified: str | None, receivers: Receivers, parameters: frozenset[str]) -> Sink | None:
    """Return which of the call's arguments reach a client; None if none does. `parameters` are those of the functions
    around the call."""
    table, bases = receivers.table, receivers.bases
    if qualified is not None and (sends := table.sends(qualified, bases)) is not None:
        is_own = qualified in bases and any(isinstance(argument, int) for argument in sends.arguments)
        return Sink(_sent(call, () if is_own else sends.arguments), sends.medium)
    if (values := _asgi_message(call, parameters)) is not None:
        return Sink(values, "an ASGI message")
    return _of_method(call, receivers) if isinstance(call.func, cst.Attribute) else None


def assigned_medium(target: cst.BaseExpression, receivers: Receivers) -> str | None:
    """Return in which kind of message a value is sent that is assigned to the target; None if it is not sent."""
    for path, kinds in receivers.paths(target):
        field = path.partition(".")[0]
        if field in _RESPONSE_FIELDS and any(receivers.table.is_response(kind, receivers.bases) for kind in kinds):
            return "a header" if field in {"[]", "headers"} else "a response"
    return None


def _of_method(call: cst.Call, receivers: Receivers) -> Sink | None:
    table, bases = receivers.table, receivers.bases
    last = last_name(call.func)
    if last not in table.methods and last not in _METHODS and "*" not in table.methods:
        return None
    is_known = None
    for path, kinds in receivers.paths(call.func):
        for kind in sorted(kinds):
            if (sends := table.method_sends(kind, path, bases)) is not None:
                return _sink_with_values(call, sends)
            if path in _RESPONSE_METHODS and table.is_response(kind, bases):
                return Sink(_sent(call, ()), _RESPONSE_METHODS[path])
        is_known = bool(kinds) if is_known is None else is_known
    name = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    sends = None if is_known else table.sends(f".{name}", bases)
    return None if sends is None else _sink_with_values(call, sends)


def _sink_with_values(call: cst.Call, sends: Sends) -> Sink | None:
    values = _sent(call, sends.arguments)
    return Sink(values, sends.medium) if values else None


def _sent(call: cst.Call, arguments: tuple[int | str, ...]) -> tuple[cst.BaseExpression, ...]:
    """Return the values at these positions and of these keywords; all that can hold a text, if there are none."""
    values = []
    position = 0
    for item in call.args:
        if item.star:
            values.append(item.value)
        elif item.keyword is not None:
            name = item.keyword.value
            if name in arguments if arguments else name not in UNSENT:
                values.append(item.value)
        else:
            if not arguments or position in arguments:
                values.append(item.value)
            position += 1
    return tuple(values)


def _asgi_message(call: cst.Call, parameters: frozenset[str]) -> tuple[cst.BaseExpression, ...] | None:
    """Return what a call of ASGI's `send`, by that or another name, sends to a client."""
    values = tuple(item.value for item in call.args if item.keyword is None and item.star != "**")
    types = [kind for value in values if (kind := _message_type(value)) is not None]
    is_message = any(kind.startswith(("http.response.", "websocket.")) for kind in types)
    is_send = isinstance(call.func, cst.Name) and call.func.value == "send" and "send" in parameters
    if is_message or (is_send and not any(kind.startswith("lifespan.") for kind in types)):
        return values
    return None


def _message_type(value: cst.BaseExpression) -> str | None:
    if isinstance(value, cst.Dict):
        for item in value.elements:
            if isinstance(item, cst.DictElement) and string_value(item.key) == "type":
                return string_value(item.value)
    return None
