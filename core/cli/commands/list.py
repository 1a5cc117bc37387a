"""`plugport list`: shows the plugins of a workspace."""

from __future__ import annotations

import argparse

from ..address import address
from ..client import Client, add_command, format_objects, print_result


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = add_command(subparsers, "list", list_plugins, "show the plugins of a workspace")
    parser.add_argument("--workspace", required=True, metavar="ID")


def list_plugins(client: Client, args: argparse.Namespace) -> None:
    """Print the installed plugins as a table."""
    plugins = client.request_list(address("workspaces", args.workspace, "plugins"))
    print_result(args, plugins, format_objects(("name", "version", "digest", "source", "drift"), plugins))
