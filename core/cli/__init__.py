"""The command line `plugport`. A command's module is imported when the command runs, and nothing before."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Protocol, cast


class Command(Protocol):
    """What each module of a command has."""

    def register(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        """Add the command to the parser; imports nothing but the standard library."""


COMMANDS = (
    "serve",
    "demo",
    "workspaces",
    "install",
    "uninstall",
    "list",
    "operations",
    "providers",
    "conform",
    "new_provider",
    "pull",
    "lint",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code: 0 done, 1 refused or findings, 2 usage or configuration, 3 no answer."""
    parser = argparse.ArgumentParser(
        prog="plugport", description="Delivers plugins into the workspaces where AI agents run."
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in COMMANDS:
        cast("Command", importlib.import_module(f".commands.{name}", __package__)).register(subparsers)
    args = parser.parse_args(argv)
    if args.version:
        from importlib.metadata import version

        print(f"plugport {version('plugport')}")
        return 0
    if not hasattr(args, "run"):
        parser.print_help()
        return 2
    try:
        return int(args.run(args))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "plugport":
            raise
        print(f"plugport: this command needs {error.name}: pip install 'plugport[server]'", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
