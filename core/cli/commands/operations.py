"""`plugport operations`: shows the history, or one operation."""

from __future__ import annotations

import argparse
import json
from typing import cast

from ..address import address
from ..client import (
    Client,
    JSONObject,
    add_command,
    format_fields,
    format_table,
    print_result,
)
from ..progress import operation_events


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = add_command(
        subparsers, "operations", show_operations, "show the operations, newest first, or one operation"
    )
    parser.add_argument("id", nargs="?", metavar="ID")
    parser.add_argument("--workspace", metavar="ID")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--follow", action="store_true", help="show each change of the operation until it ends")


def show_operations(client: Client, args: argparse.Namespace) -> None:
    """Print one operation or its changes, else the newest operations as a table."""
    if args.id is not None and args.follow:
        for operation in operation_events(client, args.id):
            line = json.dumps(operation) if args.json else f"{operation['status']}: {operation['phase']}"
            print(line, flush=True)
        return
    if args.id is not None:
        operation = client.request("GET", address("operations", args.id))
        print_result(args, operation, format_fields(operation))
        return
    query = {"limit": args.limit, "workspace": args.workspace}
    page = client.request("GET", address("operations", query=query))
    rows = [
        [
            operation["created_at"],
            operation["id"],
            operation["kind"],
            operation["workspace"],
            operation["plugin"] or operation["source"],
            operation["status"],
        ]
        for operation in cast("list[JSONObject]", page["items"])
    ]
    print_result(args, page, format_table(["AT", "ID", "KIND", "WORKSPACE", "PLUGIN", "STATUS"], rows))
