"""`plugport lint`: the gates. Nothing of the gates is imported until the command runs, and nothing of the server."""

from __future__ import annotations

import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser. It hands all of its arguments on, because only the gates know their options."""
    parser = subparsers.add_parser(
        "lint",
        help="check code by the gates: one helper alone asks the engine, no raw error reaches a client, …",
        add_help=False,
        prefix_chars="\0",
    )
    parser.add_argument("arguments", nargs="*")
    parser.set_defaults(command=lint, extra="lint")


def lint(args: argparse.Namespace) -> int:
    """Run the gates and return the exit code."""
    from ....lint_rules.command.main import main

    return main(args.arguments)
