"""`plugport list`: what a workspace has."""

from __future__ import annotations

import argparse

from ..client import Client, add_connection, answering, show, table


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser("list", help="what a workspace has")
    parser.add_argument("--workspace", required=True, metavar="ID")
    add_connection(parser)
    parser.set_defaults(run=answering(_list))


def _list(client: Client, args: argparse.Namespace) -> int:
    found = client.ask("GET", f"/workspaces/{args.workspace}/plugins")
    rows = [
        [one["name"], one["version"] or "-", one["digest"] or "-", one["source"] or "-", one["drift"]]
        for one in found
    ]
    show(found, args, lambda: table(rows, ["NAME", "VERSION", "DIGEST", "SOURCE", "DRIFT"]))
    return 0
