"""`plugport uninstall`: removes a plugin from a workspace."""

from __future__ import annotations

import argparse

from ..address import address
from ..client import Client, add_command, print_result
from ..remarks import with_remarks


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = add_command(subparsers, "uninstall", uninstall, "remove a plugin from a workspace")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--workspace", required=True, metavar="ID")
    parser.add_argument("--no-restart", dest="restart", action="store_false", help="do not restart the agent")
    parser.add_argument(
        "--adopt", action="store_true", help="remove it even if plugport did not put it there; it is set aside"
    )


def uninstall(client: Client, args: argparse.Namespace) -> None:
    """Uninstall, and name what stays or was set aside because somebody edited it."""
    query = {"restart": None if args.restart else False, "adopt": True if args.adopt else None}
    reply = client.request("DELETE", address("workspaces", args.workspace, "plugins", args.name, query=query))
    print_result(args, reply, with_remarks(f"uninstalled {reply['plugin']}", reply, args.workspace))
