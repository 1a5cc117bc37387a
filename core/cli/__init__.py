"""The command line `plugport`. What a command needs is imported when the command is called."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Protocol, cast


class Command(Protocol):
    """What each module in `commands/` has."""

    def register(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        """Add the command to the parser. Import nothing of the server here."""


COMMANDS = (
    "serve",
    "demo",
    "workspaces",
    "install",
    "uninstall",
    "restore",
    "list",
    "operations",
    "providers",
    "conform",
    "new_provider",
    "pull",
    "lint",
    "check",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Call a command and return its exit code.

    0: done. 1: refused, or findings. 2: wrong usage or configuration. 3: the service does not answer.
    """
    parser = argparse.ArgumentParser(
        prog="plugport", description="Delivers plugins into the workspaces where AI agents run."
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    parser.set_defaults(extra="server")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in COMMANDS:
        cast("Command", importlib.import_module(f".commands.{name}", __package__)).register(subparsers)
    args = parser.parse_args(argv)
    if args.version:
        from importlib.metadata import version

        print(f"plugport {version('plugport')}")
        return 0
    if not hasattr(args, "command"):
        parser.print_help()
        return 2
    try:
        return int(args.command(args))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "plugport":
            raise
        print(f"plugport: this command needs {error.name}: pip install 'plugport[{args.extra}]'", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
