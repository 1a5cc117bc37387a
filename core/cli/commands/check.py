"""`plugport check`: says what a plugin has, what is wrong with it, and what each runtime makes of it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ....hookspecs.values import Source


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser(
        "check",
        help="say what a plugin has, what is wrong with it, and what each runtime makes of it",
        description="No service needs to run. Exit 0: no errors. 1: errors, or the source cannot be fetched. "
        "2: wrong usage.",
    )
    parser.add_argument("plugin", metavar="DIR|SOURCE", help="a directory, or a source such as github://owner/name")
    parser.add_argument(
        "--runtime", action="append", default=[], metavar="R", help="check for this runtime; the default is all"
    )
    parser.add_argument("--format", choices=("text", "json", "sarif", "github"), default="text")
    parser.add_argument("--strict", action="store_true", help="exit 1 for warnings, too")
    parser.set_defaults(command=check)


def check(args: argparse.Namespace) -> int:
    """Check the plugin and print the report. Return the exit code."""
    from ....hookspecs.errors import PlugportError
    from ...dispatcher import DuplicateProvider
    from ...settings import Settings, SettingsInvalid
    from ..check.inspection import NoSuchLayout, check_plugin
    from ..check.reports import render

    try:
        plugin = _plugin(args.plugin)
        result = asyncio.run(check_plugin(plugin, args.runtime, Settings.from_environment()))
    except (NoSuchLayout, DuplicateProvider, SettingsInvalid, _NoSuchDirectory) as error:
        print(f"plugport: {error}", file=sys.stderr)
        return 2
    except PlugportError as error:
        print(f"plugport: {args.plugin}: {error.detail}", file=sys.stderr)
        return 1
    print(render(result, args.format))
    return result.exit_code(strict=args.strict)


class _NoSuchDirectory(Exception):
    """Raised for a path that is no directory."""


def _plugin(text: str) -> Path | Source:
    """Return the directory or the source that the text names. A bare name is a directory if there is one."""
    from ....hookspecs.values import Source

    path = Path(text)
    if "://" not in text and path.is_dir():
        return path
    if "://" not in text and ("/" in text or text.startswith(".")):
        raise _NoSuchDirectory(f"{text} is no directory")
    return Source.parse(text)
