"""Calls a running service, and prints its replies and refusals."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias, cast

from ...hookspecs import JSON
from .address import NotAddressable

JSONObject: TypeAlias = Mapping[str, JSON]
EXIT_REFUSED, EXIT_UNREACHABLE = 1, 3


class Refused(Exception):
    """Raised when the service answers with an error. `problem` is its problem document."""

    def __init__(self, status: int, problem: JSONObject) -> None:
        super().__init__(problem.get("title", f"status {status}"))
        self.status, self.problem = status, problem


class Unreachable(Exception):
    """Raised when the service does not answer. The text names its URL."""


class Client:
    """Calls a service. The token is that of PLUGPORT_TOKEN (else PLUGPORT_ADMIN_TOKEN)."""

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        import httpx

        self.url = (url or os.environ.get("PLUGPORT_URL") or "http://127.0.0.1:8080").rstrip("/")
        token = token or os.environ.get("PLUGPORT_TOKEN") or os.environ.get("PLUGPORT_ADMIN_TOKEN") or ""
        bearer = f"Bearer {token}".encode("utf-8", "surrogateescape")
        headers = {b"Authorization": bearer} if token else {}
        timeout = httpx.Timeout(30.0, read=1200.0)
        try:
            self.http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout)
        except (httpx.InvalidURL, ValueError) as error:
            raise Unreachable(f"{self.url!r} is not a URL") from error

    def request(
        self, method: str, path: str, body: JSON = None, headers: Mapping[str, str] | None = None
    ) -> JSONObject:
        """Return the JSON object of the reply, `{}` if the reply is empty. `path` comes from `address`.

        Raises `Refused` and `Unreachable`.
        """
        return cast("JSONObject", self._json(method, path, body, headers) or {})

    def request_list(self, path: str) -> list[JSONObject]:
        """GET a list of JSON objects. Raises `Refused` and `Unreachable`."""
        return cast("list[JSONObject]", self._json("GET", path))

    def _json(self, method: str, path: str, body: JSON = None, headers: Mapping[str, str] | None = None) -> object:
        import httpx

        content = None if body is None else json.dumps(body).encode()  # in ASCII, since a value may be no Unicode
        media_type = {} if body is None else {"Content-Type": "application/json"}
        try:
            reply = self.http.request(method, path, content=content, headers={**media_type, **(headers or {})})
        except httpx.HTTPError as error:
            raise Unreachable(f"{self.url} does not answer ({type(error).__name__})") from error
        if reply.is_error:
            raise Refused(reply.status_code, problem_document(reply.content, reply.status_code))
        return reply.json() if reply.content else None


def problem_document(content: bytes, status: int) -> JSONObject:
    """Return the problem document of a reply, or one that names the HTTP status if the reply has none."""
    try:
        problem = json.loads(content)
    except ValueError:
        problem = None
    return problem if isinstance(problem, dict) else {"title": f"HTTP status {status}"}


def add_command(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    command: Callable[[Client, argparse.Namespace], int | None],
    help: str,  # noqa: A002 - argparse's own word
    description: str | None = None,
) -> argparse.ArgumentParser:
    """Add a command that calls a service, with the flags that each of them has. Return its parser."""
    parser = subparsers.add_parser(name, help=help, description=description)
    parser.add_argument("--url", help="the service (PLUGPORT_URL, else http://127.0.0.1:8080)")
    parser.add_argument("--json", action="store_true", help="print the service's own JSON")
    parser.set_defaults(command=with_client(command))
    return parser


def with_client(
    command: Callable[[Client, argparse.Namespace], int | None],
) -> Callable[[argparse.Namespace], int]:
    """Wrap a command: it gets a client, and a refusal or a missing answer is printed and becomes the exit code."""

    def call(args: argparse.Namespace) -> int:
        try:
            return command(Client(args.url), args) or 0
        except NotAddressable as error:
            print_problem({"title": "Invalid request", "detail": f"{error}."}, as_json=args.json)
            return EXIT_REFUSED
        except Refused as refusal:
            print_problem(refusal.problem, as_json=args.json)
            return EXIT_REFUSED
        except Unreachable as error:
            print(f"plugport: {error}: is it running, and is PLUGPORT_URL right?", file=sys.stderr)
            return EXIT_UNREACHABLE

    return call


def print_problem(problem: JSONObject, *, as_json: bool) -> None:
    """Print a problem document to standard error for people, or to standard output as JSON."""
    if as_json:
        print(json.dumps(problem))
        return
    print(f"plugport: {problem.get('title')}: {problem.get('detail', '')}", file=sys.stderr)
    if isinstance(hint := problem.get("hint"), dict):
        print(f"  run there: {hint.get('command')}", file=sys.stderr)
    if request_id := problem.get("request_id"):
        print(f"  request id: {request_id}", file=sys.stderr)


def print_result(args: argparse.Namespace, value: object, text: str) -> None:
    """Print the value as JSON with `--json`, else the text."""
    print(json.dumps(value) if args.json else text)


def format_table(heads: Sequence[str], rows: Iterable[Iterable[JSON]]) -> str:
    """Format rows under heads, in columns as wide as their cells. An empty cell is shown as a dash."""
    cells = [list(heads), *([str(cell or "-") for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    return "\n".join(line.rstrip() for line in lines)


def format_objects(columns: Sequence[str], objects: Iterable[JSONObject]) -> str:
    """Format the named fields of the objects as a table."""
    return format_table(
        [column.upper() for column in columns], ([each[column] for column in columns] for each in objects)
    )


def format_fields(value: JSONObject) -> str:
    """Format an object as lines of `key: value`, without the null values."""
    return "\n".join(f"{key}: {field}" for key, field in value.items() if field is not None)
