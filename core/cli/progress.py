"""Follows an operation by its event stream, with its phases on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from .client import Client, Refused, Unreached


def events(client: Client, identity: str) -> Iterator[dict[str, Any]]:
    """The operation after each change, to its end. Raises `Refused` and `Unreached`."""
    import httpx

    try:
        with client.http.stream("GET", f"/operations/{identity}/events") as stream:
            if stream.is_error:
                stream.read()
                raise Refused(stream.status_code, {"title": "the operation cannot be followed"})
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])
    except httpx.HTTPError as error:
        raise Unreached(f"{client.url} went away ({type(error).__name__})") from error


def follow(client: Client, operation: Mapping[str, Any]) -> dict[str, Any]:
    """The operation when it has succeeded; its phases are shown on standard error while it runs.

    Raises `Refused` with the operation's own problem where it failed, and `Unreached`.
    """
    from rich.console import Console

    last = dict(operation)
    with Console(stderr=True).status("queued") as status:
        for last in events(client, operation["id"]):
            status.update(last["phase"])
    if last["status"] == "failed":
        raise Refused(last["error"].get("status", 500), last["error"])
    if last["status"] != "succeeded":
        print(f"plugport: the stream ended early; see: plugport operations {last['id']}", file=sys.stderr)
        raise Unreached("the event stream ended before the operation did")
    return last
