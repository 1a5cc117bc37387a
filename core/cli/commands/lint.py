"""`plugport lint`: the gates. Nothing of the gates is imported until the command runs, and nothing of the server."""

from __future__ import annotations

import argparse
import sys


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser. It hands all of its arguments on, because only the gates know their options."""
    parser = subparsers.add_parser(
        "lint",
        help="check code by the gates: one helper alone asks the engine, no raw error reaches a client, …",
        add_help=False,
        prefix_chars="\0",
    )
    parser.add_argument("arguments", nargs="*")
    parser.set_defaults(command=lint)


def lint(args: argparse.Namespace) -> int:
    """Run the gates and return the exit code."""
    try:
        from ....lint_rules.command.main import main
    except ModuleNotFoundError as error:
        print(f"plugport lint needs {error.name}: pip install 'plugport[lint]'", file=sys.stderr)
        return 2
    return main(args.arguments)
