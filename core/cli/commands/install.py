"""`plugport install`: installs a plugin into a workspace."""

from __future__ import annotations

import argparse
import sys

from ....hookspecs import JSON
from ..client import Client, add_connection_flags, print_result, with_client
from ..progress import wait_for_success


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser("install", help="install a plugin into a workspace")
    parser.add_argument("source", metavar="SOURCE", help="scheme://spec, or NAME for local://NAME")
    parser.add_argument("--workspace", required=True, metavar="ID")
    parser.add_argument("--digest", help="refuse a tree with another digest than this (sha256:…)")
    parser.add_argument("--sha256", help="refuse a plugin.yaml with another sha256 than this")
    parser.add_argument("--no-restart", dest="restart", action="store_false", help="do not restart the agent")
    parser.add_argument("--no-wait", dest="wait", action="store_false", help="print the operation's id and return")
    add_connection_flags(parser)
    parser.set_defaults(command=with_client(install))


def install(client: Client, args: argparse.Namespace) -> None:
    """Start the install and wait for its end; on a terminal, show its phases."""
    body: dict[str, JSON] = {"source": args.source, "restart": args.restart}
    body |= {key: getattr(args, key) for key in ("digest", "sha256") if getattr(args, key)}
    path = f"/workspaces/{args.workspace}/plugins"
    show_phases = sys.stderr.isatty() and not args.json
    if args.wait and not show_phases:
        reply = client.request("POST", path, body)
    else:
        reply = client.request("POST", path, body, {"Prefer": "respond-async"})
        if not args.wait:
            print_result(args, reply, str(reply["id"]))
            return
        reply = wait_for_success(client, reply)
    print_result(args, reply, f"installed {reply['plugin']} {reply['digest']}")
