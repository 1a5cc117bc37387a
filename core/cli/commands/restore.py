"""`plugport restore`: puts back what somebody had edited in a plugin's directory."""

from __future__ import annotations

import argparse
from typing import cast

from ....hookspecs import JSON
from ..address import address
from ..client import Client, add_command, print_result
from ..remarks import with_remarks


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = add_command(
        subparsers,
        "restore",
        restore,
        help="put back edited files that an install or an uninstall has set aside",
        description="Puts the files back into the plugin's directory. What they replace is set aside in turn.",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--workspace", required=True, metavar="ID")
    parser.add_argument(
        "--kept", metavar="DIGEST", help="the directory below plugins/.plugport/kept/NAME; the default is the newest"
    )


def restore(client: Client, args: argparse.Namespace) -> None:
    """Restore, and name the files that were put back."""
    body: dict[str, JSON] = {} if args.kept is None else {"kept": args.kept}
    reply = client.request("POST", address("workspaces", args.workspace, "plugins", args.name, "restore"), body)
    restored = [f"  put back: {path}" for path in cast("list[str]", reply["restored"])]
    print_result(
        args, reply, with_remarks("\n".join([f"restored {reply['plugin']}", *restored]), reply, args.workspace)
    )
