"""`plugport workspaces`: registers, shows and removes workspaces, and creates their tokens."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import cast

from ....hookspecs import JSON
from ..address import address
from ..client import (
    Client,
    JSONObject,
    add_command,
    format_fields,
    format_objects,
    format_table,
    print_result,
)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser("workspaces", help="register, show and remove workspaces (admin)")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    add = _action(actions, "add", "register a workspace", add_workspace)
    for name in ("org", "runtime", "backend", "container", "instance-id", "layout"):
        add.add_argument(f"--{name}")
    add.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="an option of the backend; repeatable"
    )
    _action(actions, "list", "show the registered workspaces", list_workspaces, of_one_workspace=False)
    _action(actions, "show", "show a workspace with its state", show_workspace)
    _action(actions, "detect", "look on the target for the folders of known agents", detect_agents)
    _action(actions, "remove", "remove a workspace from the service; its target stays as it is", remove_workspace)
    _action(actions, "token", "create a token for this workspace alone", create_token)
    _action(actions, "forget-host-key", "forget an instance's pinned host key", forget_host_key)


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    description: str,
    command: Callable[[Client, argparse.Namespace], None],
    *,
    of_one_workspace: bool = True,
) -> argparse.ArgumentParser:
    parser = add_command(actions, name, command, description, description)
    if of_one_workspace:
        parser.add_argument("id", help="the workspace's id")
    return parser


def add_workspace(client: Client, args: argparse.Namespace) -> None:
    """Register a workspace."""
    body = {
        "id": args.id,
        "org": args.org,
        "runtime": args.runtime,
        "backend": args.backend,
        "container": args.container,
        "instance_id": args.instance_id,
        "layout": args.layout,
        "options": dict(_parse_option(option) for option in args.option) or None,
    }
    workspace = client.request(
        "POST", "/workspaces", {key: value for key, value in body.items() if value is not None}
    )
    for warning in cast("list[str]", workspace.get("warnings") or []):
        print(f"plugport: warning: {warning}", file=sys.stderr)
    print_result(args, workspace, f"{workspace['id']}: registered, backend {workspace['backend']}")


def _parse_option(text: str) -> tuple[str, JSON]:
    """Split `key=value`. The value is JSON, or plain text if it is not valid JSON."""
    key, _, value = text.partition("=")
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):
        return key, value


def list_workspaces(client: Client, args: argparse.Namespace) -> None:
    """Print all workspaces as a table."""
    workspaces: list[JSONObject] = []
    page: JSONObject = {"next": ""}
    while page["next"] is not None:
        query = {"limit": 200, "cursor": cast("str", page["next"]) or None}
        page = client.request("GET", address("workspaces", query=query))
        workspaces += cast("list[JSONObject]", page["items"])
    print_result(args, workspaces, format_objects(("id", "org", "runtime", "backend"), workspaces))


def show_workspace(client: Client, args: argparse.Namespace) -> None:
    """Print a workspace's fields."""
    workspace = client.request("GET", address("workspaces", args.id))
    print_result(args, workspace, format_fields(workspace))


def remove_workspace(client: Client, args: argparse.Namespace) -> None:
    """Remove a workspace from the service."""
    client.request("DELETE", address("workspaces", args.id))
    print_result(args, {"id": args.id}, f"{args.id}: forgotten")


def detect_agents(client: Client, args: argparse.Namespace) -> None:
    """Show the folders of agents on the workspace's target, and how a workspace for one is registered."""
    reply = client.request("GET", address("workspaces", args.id, "agents"))
    agents = cast("list[dict[str, str]]", reply["items"])
    rows = [[agent["layout"], agent["config_dir"], agent["home"]] for agent in agents]
    text = format_table(["LAYOUT", "CONFIG DIR", "HOME"], rows) if rows else "no folder of a known agent is there"
    print_result(args, reply, text)


def create_token(client: Client, args: argparse.Namespace) -> None:
    """Create a token and print it."""
    reply = client.request("POST", address("workspaces", args.id, "tokens"))
    print_result(args, reply, str(reply["token"]))


def forget_host_key(client: Client, args: argparse.Namespace) -> None:
    """Forget the pinned host key, so that the next connection pins a new one."""
    client.request("DELETE", address("workspaces", args.id, "host-key"))
    print_result(args, {"id": args.id}, f"{args.id}: the next contact is a first one")
