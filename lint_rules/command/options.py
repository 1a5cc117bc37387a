"""The options of `plugport lint`, for the command line and for `python -m plugport.lint_rules`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from ..reporters import FORMATS


@dataclass(frozen=True, slots=True)
class Options:
    """The options by name; `add` in `parse_options` says what each of them does."""

    paths: tuple[str, ...]
    format: str
    config: str | None
    select: str | None
    baseline: str | None
    write_baseline: bool
    cache: bool
    prove: bool
    explain: str | None
    statistics: bool
    stdin_filename: str | None
    fix: bool
    unsafe: bool
    diff: bool
    show_config: bool
    lsp: bool


def parse_options(arguments: Sequence[str], program: str) -> Options:
    """Read the arguments. Ends the process with exit 2 and a message if they are wrong, with exit 0 for --help."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="Check code by the gates: one helper alone asks the engine, no raw error reaches a client, hooks "
        "as specified, nothing blocks the loop.",
        epilog="Exit 0: clean. 1: findings. 2: usage or configuration. 3: a rule crashed or is lost.",
    )
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="files and folders; default: the whole project")
    add("--format", choices=FORMATS, default="text")
    add("--config", metavar="FILE", help="a TOML file with [tool.plugport.lint]; default: the nearest pyproject.toml")
    add("--select", metavar="RULE,…", help="run only these rules")
    add("--baseline", metavar="FILE", help="report only what is not in this file")
    add("--write-baseline", action="store_true", help="accept all of today's findings into the --baseline file")
    add("--no-cache", dest="cache", action="store_false", help="neither read nor write the result cache")
    add("--statistics", action="store_true", help="count findings by rule, on standard error")
    add("--stdin-filename", metavar="FILE", help="read this one file's text from standard input, for editors")
    add("--fix", action="store_true", help="write the safe fixes, and report what is left")
    add("--unsafe", action="store_true", help="with --fix or --diff: also fixes that change what the program does")
    add("--diff", action="store_true", help="print the fixes as a diff and write nothing; exit 1 if there are any")
    add("--prove", action="store_true", help="break the code in memory and report what the gates would miss")
    add("--show-config", action="store_true", help="print the configuration that is in force, as TOML")
    add("--lsp", action="store_true", help="serve an editor: findings and fixes by the Language Server Protocol")
    add("--explain", metavar="RULE", help="show what a rule wants, why, and examples")
    options = vars(parser.parse_args(arguments))
    return Options(**{**options, "paths": tuple(options["paths"])})
