"""Follows an operation by its event stream, and shows its phases on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import cast

from .address import address
from .client import Client, JSONObject, Refused, Unreachable


def operation_events(client: Client, operation_id: str) -> Iterator[JSONObject]:
    """Yield the operation after each change until it ends. Raises `Refused` and `Unreachable`."""
    import httpx

    try:
        with client.http.stream("GET", address("operations", operation_id, "events")) as stream:
            if stream.is_error:
                raise Refused(stream.status_code, {"title": "the operation cannot be followed"})
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])
    except httpx.HTTPError as error:
        raise Unreachable(f"{client.url} went away ({type(error).__name__})") from error


def wait_for_success(client: Client, operation: JSONObject) -> JSONObject:
    """Show the operation's phases on standard error until it ends, and return it if it has succeeded.

    Raises `Refused` with the operation's own problem document if it failed, and `Unreachable`.
    """
    from rich.console import Console

    with Console(stderr=True).status("queued") as status:
        for changed in operation_events(client, str(operation["id"])):
            operation = changed
            status.update(str(operation["phase"]))
    if operation["status"] == "failed":
        problem = cast("JSONObject", operation["error"])
        raise Refused(cast("int", problem.get("status", 500)), problem)
    if operation["status"] != "succeeded":
        print(f"plugport: the stream ended early; see: plugport operations {operation['id']}", file=sys.stderr)
        raise Unreachable("the event stream ended before the operation did")
    return operation
