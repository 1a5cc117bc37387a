"""`plugport uninstall`: removes a plugin from a workspace."""

from __future__ import annotations

import argparse
from typing import cast

from ..client import Client, add_connection_flags, print_result, with_client


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser("uninstall", help="remove a plugin from a workspace")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--workspace", required=True, metavar="ID")
    parser.add_argument("--no-restart", dest="restart", action="store_false", help="do not restart the agent")
    add_connection_flags(parser)
    parser.set_defaults(command=with_client(uninstall))


def uninstall(client: Client, args: argparse.Namespace) -> None:
    """Uninstall, and name the files that stay because somebody edited them."""
    query = "" if args.restart else "?restart=false"
    reply = client.request("DELETE", f"/workspaces/{args.workspace}/plugins/{args.name}{query}")
    left = [f"  left, since somebody edited it: {path}" for path in cast("list[str]", reply["left"])]
    print_result(args, reply, "\n".join([f"uninstalled {reply['plugin']}", *left]))
