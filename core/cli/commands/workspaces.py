"""`plugport workspaces`: register, show and forget workspaces, and make their tokens."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..client import Client, add_connection, answering, show, table


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser("workspaces", help="register, show and forget workspaces (admin)")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    add = _action(actions, "add", "register a workspace", _add)
    for name in ("org", "runtime", "backend", "container", "instance-id"):
        add.add_argument(f"--{name}")
    add.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="of the backend; repeatable")
    listing = _action(actions, "list", "the registered workspaces", _list, identity=False)
    listing.set_defaults(json=False)
    _action(actions, "show", "one workspace with its state", _show)
    _action(actions, "remove", "forget a workspace; nothing on the target is touched", _remove)
    _action(actions, "token", "make a token that opens this workspace alone", _token)
    _action(actions, "forget-host-key", "forget an instance's pinned host key", _forget_host_key)


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    what: str,
    ask: Any,
    *,
    identity: bool = True,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=what, description=what)
    if identity:
        parser.add_argument("id", help="the workspace's id")
    add_connection(parser)
    parser.set_defaults(run=answering(ask))
    return parser


def _add(client: Client, args: argparse.Namespace) -> int:
    body = {
        "id": args.id,
        "org": args.org,
        "runtime": args.runtime,
        "backend": args.backend,
        "container": args.container,
        "instance_id": args.instance_id,
        "options": dict(_option(one) for one in args.option) or None,
    }
    added = client.ask("POST", "/workspaces", {key: value for key, value in body.items() if value is not None})
    show(added, args, lambda: f"{added['id']}: registered, backend {added['backend']}")
    return 0


def _option(text: str) -> tuple[str, Any]:
    """`key=value`, where the value is JSON or else a text."""
    key, _, value = text.partition("=")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _list(client: Client, args: argparse.Namespace) -> int:
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = client.ask("GET", f"/workspaces?limit=200{cursor}")
        items += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    rows = [[one["id"], one["org"] or "-", one["runtime"] or "-", one["backend"]] for one in items]
    show(items, args, lambda: table(rows, ["ID", "ORG", "RUNTIME", "BACKEND"]))
    return 0


def _show(client: Client, args: argparse.Namespace) -> int:
    found = client.ask("GET", f"/workspaces/{args.id}")
    show(found, args, lambda: "\n".join(f"{key}: {value}" for key, value in found.items() if value is not None))
    return 0


def _remove(client: Client, args: argparse.Namespace) -> int:
    client.ask("DELETE", f"/workspaces/{args.id}")
    show({"id": args.id}, args, lambda: f"{args.id}: forgotten")
    return 0


def _token(client: Client, args: argparse.Namespace) -> int:
    made = client.ask("POST", f"/workspaces/{args.id}/tokens")
    show(made, args, lambda: str(made["token"]))
    return 0


def _forget_host_key(client: Client, args: argparse.Namespace) -> int:
    client.ask("DELETE", f"/workspaces/{args.id}/host-key")
    show({"id": args.id}, args, lambda: f"{args.id}: the next contact is a first one")
    return 0
