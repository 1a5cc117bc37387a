"""`plugport install`: installs a plugin into a workspace."""

from __future__ import annotations

import argparse
import sys
import uuid

from ....hookspecs import JSON
from ..address import address
from ..client import Client, add_command, print_result
from ..progress import wait_for_success
from ..remarks import with_remarks


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = add_command(subparsers, "install", install, "install a plugin into a workspace")
    parser.add_argument("source", metavar="SOURCE", help="scheme://spec, or NAME for local://NAME")
    parser.add_argument("--workspace", required=True, metavar="ID")
    parser.add_argument("--digest", help="refuse a tree with another digest than this (sha256:…)")
    parser.add_argument("--sha256", help="refuse a plugin.yaml with another sha256 than this")
    parser.add_argument("--as", dest="name", metavar="NAME", help="install the plugin under another name")
    parser.add_argument(
        "--replace", action="store_true", help="replace a plugin of the same name from another origin"
    )
    parser.add_argument(
        "--adopt", action="store_true", help="take over what lies at the plugin's place; it is set aside"
    )
    parser.add_argument(
        "--grant", action="append", default=[], metavar="NAME", help="give a trust that the agent demands; repeatable"
    )
    parser.add_argument("--no-ask", dest="ask", action="store_false", help="do not ask the agent what it sees")
    parser.add_argument("--require-seen", action="store_true", help="fail unless the agent sees the plugin")
    parser.add_argument("--no-restart", dest="restart", action="store_false", help="do not restart the agent")
    parser.add_argument("--no-wait", dest="wait", action="store_false", help="print the operation's id and return")


def install(client: Client, args: argparse.Namespace) -> None:
    """Start the install and wait for its end; on a terminal, show its phases."""
    body: dict[str, JSON] = {"source": args.source, "restart": args.restart}
    optional = {"digest": args.digest, "sha256": args.sha256, "as": args.name}
    body |= {key: value for key, value in optional.items() if value is not None}
    body |= {key: True for key in ("replace", "adopt", "require_seen") if getattr(args, key)}
    body |= {"grant": args.grant} if args.grant else {}
    body |= {} if args.ask else {"ask": False}
    path = address("workspaces", args.workspace, "plugins")
    show_phases = sys.stderr.isatty() and not args.json
    if args.wait and not show_phases:
        reply = client.request("POST", path, body)
    else:
        key = {"Idempotency-Key": uuid.uuid4().hex}
        reply = client.request("POST", path, body, {"Prefer": "respond-async", **key})
        if not args.wait:
            print_result(args, reply, str(reply["id"]))
            return
        wait_for_success(client, reply)
        reply = client.request("POST", path, body, key)  # the same operation: its reply
    headline = f"installed {reply['plugin']} {reply['digest']}"
    print_result(args, reply, with_remarks(headline, reply, args.workspace))
