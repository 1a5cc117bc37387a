"""`plugport uninstall`: a plugin out of a workspace."""

from __future__ import annotations

import argparse

from ..client import Client, add_connection, answering, show


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser("uninstall", help="take a plugin out of a workspace")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--workspace", required=True, metavar="ID")
    parser.add_argument("--no-restart", dest="restart", action="store_false", help="leave the agent running as it is")
    add_connection(parser)
    parser.set_defaults(run=answering(_uninstall))


def _uninstall(client: Client, args: argparse.Namespace) -> int:
    query = "" if args.restart else "?restart=false"
    done = client.ask("DELETE", f"/workspaces/{args.workspace}/plugins/{args.name}{query}")
    left = [f"  left, since somebody edited it: {one}" for one in done["left"]]
    show(done, args, lambda: "\n".join([f"uninstalled {done['plugin']}", *left]))
    return 0
