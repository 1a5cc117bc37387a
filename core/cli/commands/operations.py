"""`plugport operations`: the history, or one operation."""

from __future__ import annotations

import argparse
import json

from ..client import Client, add_connection, answering, show, table
from ..progress import events


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser("operations", help="what was done, the newest first; or one operation")
    parser.add_argument("id", nargs="?", metavar="ID")
    parser.add_argument("--workspace", metavar="ID")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--follow", action="store_true", help="show each change of the one operation until its end")
    add_connection(parser)
    parser.set_defaults(run=answering(_operations))


def _operations(client: Client, args: argparse.Namespace) -> int:
    if args.id and args.follow:
        for one in events(client, args.id):
            print(json.dumps(one) if args.json else f"{one['status']}: {one['phase']}", flush=True)
        return 0
    if args.id:
        found = client.ask("GET", f"/operations/{args.id}")
        show(found, args, lambda: "\n".join(f"{key}: {value}" for key, value in found.items() if value is not None))
        return 0
    workspace = f"&workspace={args.workspace}" if args.workspace else ""
    page = client.ask("GET", f"/operations?limit={args.limit}{workspace}")
    rows = [
        [
            one["created_at"],
            one["id"],
            one["kind"],
            one["workspace"],
            one["plugin"] or one["source"] or "-",
            one["status"],
        ]
        for one in page["items"]
    ]
    show(page, args, lambda: table(rows, ["AT", "ID", "KIND", "WORKSPACE", "PLUGIN", "STATUS"]))
    return 0
