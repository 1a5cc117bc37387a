"""How the commands talk to a running service, and how they say what it refused."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

REFUSED, UNREACHED = 1, 3


class Refused(Exception):
    """Raised when the service answers with a problem document."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(problem.get("title", f"status {status}"))
        self.status, self.problem = status, problem


class Unreached(Exception):
    """Raised when no answer came; its text says from where."""


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add the flags that every command has which asks a service."""
    parser.add_argument("--url", help="the service (PLUGPORT_URL, else http://127.0.0.1:8080)")
    parser.add_argument("--json", action="store_true", help="print the service's own JSON")


class Client:
    """A service, with the token of PLUGPORT_TOKEN (else PLUGPORT_ADMIN_TOKEN)."""

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        import httpx

        self.url = (url or os.environ.get("PLUGPORT_URL") or "http://127.0.0.1:8080").rstrip("/")
        token = token or os.environ.get("PLUGPORT_TOKEN") or os.environ.get("PLUGPORT_ADMIN_TOKEN") or ""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(30.0, read=1200.0)
        self.http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout)

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        """The answer's JSON (None where it has none). Raises `Refused` and `Unreached`."""
        import httpx

        try:
            reply = self.http.request(method, path, json=body, headers=dict(headers or {}))
        except httpx.HTTPError as error:
            raise Unreached(f"{self.url} does not answer ({type(error).__name__})") from error
        if reply.is_error:
            raise Refused(reply.status_code, problem_of(reply.content, reply.status_code))
        return reply.json() if reply.content else None


def problem_of(content: bytes, status: int) -> Mapping[str, Any]:
    """A problem document, or one made up from the status where the answer is none."""
    try:
        problem = json.loads(content)
    except ValueError:
        problem = None
    return problem if isinstance(problem, dict) else {"title": f"HTTP status {status}"}


def answering(ask: Callable[[Client, argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """A command's `run`: it has a client, and tells on standard error what was refused."""

    def run(args: argparse.Namespace) -> int:
        try:
            return ask(Client(args.url), args)
        except Refused as refusal:
            tell(refusal.problem, as_json=getattr(args, "json", False))
            return REFUSED
        except Unreached as error:
            print(f"plugport: {error}: is it running, and is PLUGPORT_URL right?", file=sys.stderr)
            return UNREACHED

    return run


def tell(problem: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a problem document for a person, or as it is on standard output."""
    if as_json:
        print(json.dumps(problem))
        return
    print(f"plugport: {problem.get('title')}: {problem.get('detail', '')}", file=sys.stderr)
    if isinstance(hint := problem.get("hint"), dict):
        print(f"  run there: {hint.get('command')}", file=sys.stderr)
    if request_id := problem.get("request_id"):
        print(f"  request id: {request_id}", file=sys.stderr)


def show(value: object, args: argparse.Namespace, lines: Callable[[], str]) -> None:
    """Print the value as JSON where that was asked for, else the lines."""
    print(json.dumps(value) if args.json else lines())


def table(rows: list[list[str]], heads: list[str]) -> str:
    """Rows under heads, in columns as wide as they need to be."""
    widths = [max(len(row[index]) for row in [heads, *rows]) for index in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [heads, *rows]]
    return "\n".join(line.rstrip() for line in lines)
