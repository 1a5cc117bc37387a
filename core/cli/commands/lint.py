"""`plugport lint`: the gates. Nothing of the gates is imported until the command runs, and nothing of the server."""

from __future__ import annotations

import argparse
import sys


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser(
        "lint",
        help="check code by the gates: one helper alone asks the engine, no raw error reaches a client, …",
        description="Exit 0: clean. 1: findings. 2: usage or configuration. 3: a rule crashed or could not be had.",
    )
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="files and folders; the whole project where none is given")
    add("--format", choices=("text", "json", "sarif", "github"), default="text")
    add("--config", metavar="FILE", help="a TOML file with [tool.plugport.lint]; else the nearest pyproject.toml")
    add("--select", metavar="RULE,…", help="run these rules alone")
    add("--baseline", metavar="FILE", help="report only what is not in this file")
    add("--write-baseline", action="store_true", help="accept all of today's findings into the --baseline file")
    add("--no-cache", dest="cache", action="store_false", help="neither read nor write the result cache")
    add("--statistics", action="store_true", help="count findings by rule, on standard error")
    add("--stdin-filename", metavar="FILE", help="read this one file's text from standard input, for editors")
    add("--prove", action="store_true", help="break the code in memory and report what the gates would miss")
    add("--explain", metavar="RULE", help="what a rule wants, why, and examples")
    parser.set_defaults(command=lint)


def lint(args: argparse.Namespace) -> int:
    """Run the gates and return the exit code."""
    try:
        from ....lint_rules.command import main as command
    except ModuleNotFoundError as error:
        print(f"plugport lint needs {error.name}: pip install 'plugport[lint]'", file=sys.stderr)
        return 2
    return command.run(
        command.Options(
            paths=tuple(args.paths),
            format=args.format,
            config=args.config,
            select=args.select,
            baseline=args.baseline,
            write_baseline=args.write_baseline,
            cache=args.cache,
            prove=args.prove,
            explain=args.explain,
            statistics=args.statistics,
            stdin_filename=args.stdin_filename,
        )
    )
