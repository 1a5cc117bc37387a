"""`plugport install`: a plugin into a workspace."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..client import Client, add_connection, answering, show
from ..progress import follow


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser("install", help="install a plugin into a workspace")
    parser.add_argument("source", metavar="SOURCE", help="scheme://spec, or the name of a plugin of the registry")
    parser.add_argument("--workspace", required=True, metavar="ID")
    parser.add_argument("--digest", help="refuse another tree than sha256:…")
    parser.add_argument("--sha256", help="refuse another plugin.yaml")
    parser.add_argument("--no-restart", dest="restart", action="store_false", help="leave the agent running as it is")
    parser.add_argument("--no-wait", dest="wait", action="store_false", help="print the operation and do not wait")
    add_connection(parser)
    parser.set_defaults(run=answering(_install))


def _install(client: Client, args: argparse.Namespace) -> int:
    body: dict[str, Any] = {"source": args.source, "restart": args.restart}
    body |= {key: getattr(args, key) for key in ("digest", "sha256") if getattr(args, key)}
    path = f"/workspaces/{args.workspace}/plugins"
    if args.wait and not (sys.stderr.isatty() and not args.json):
        done = client.ask("POST", path, body)
        show(done, args, lambda: f"installed {done['plugin']} {done['digest']}")
        return 0
    accepted = client.ask("POST", path, body, {"Prefer": "respond-async"})
    if not args.wait:
        show(accepted, args, lambda: str(accepted["id"]))
        return 0
    done = follow(client, accepted)
    print(f"installed {done['plugin']} {done['digest']}")
    return 0
