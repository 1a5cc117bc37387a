"""`plugport conform`: holds an installed provider to the conformance kit, and keeps the report."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..conform import reports

if TYPE_CHECKING:
    from ....hookspecs.providers import Provider

GROUP = "plugport.conformance"
_HOW = """\
plugport: nothing says how to try {name}. Write a function that yields what the kit wants to know (see
docs/providers/conformance.md), and name it by --target MODULE:FUNCTION or by an entry point:

    [project.entry-points."{group}"]
    {name} = "your_package.conformance:target"
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser(
        "conform",
        help="hold an installed provider to the conformance kit",
        description="Exit 0: every promise that it declares is kept. 1: one is broken. 2: it cannot be tried.",
    )
    parser.add_argument("provider", metavar="PROVIDER", help="a name that `plugport providers` shows")
    parser.add_argument(
        "--target",
        metavar="MODULE:FUNCTION",
        help=f"what to try it on; else the entry points of the group {GROUP} that have its name",
    )
    parser.add_argument("--json", action="store_true", help="write the report to standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the suite and keep its report."""
    from ....hookspecs.providers import ProviderStatus, discover

    found = [one for one in discover(allowed=[args.provider]) if one.name == args.provider]
    loaded = next((one for one in found if one.status is ProviderStatus.LOADED), None)
    if loaded is None:
        reason = found[0].reason if found else "there is no such provider: see `plugport providers`"
        print(f"plugport: {args.provider}: {reason}", file=sys.stderr)
        return 2
    targets = list(_targets(args.provider, args.target))
    if not targets:
        print(_HOW.format(name=args.provider, group=GROUP), file=sys.stderr, end="")
        return 2
    try:
        from ..conform import suite_run as conforming
    except ModuleNotFoundError as error:
        print(f"plugport conform needs {error.name}: pip install 'plugport[conformance]'", file=sys.stderr)
        return 2
    results: list[dict[str, Any]] = []
    for target in targets:
        try:
            results += conforming.hold(loaded, target.name, target.load)
        except conforming.CannotBeTried as error:
            print(f"plugport: {target.value}: {error}", file=sys.stderr)
            return 2
    report = reports.made(loaded, results)
    _keep(loaded, report)
    print(json.dumps(report, indent=2) if args.json else reports.text(report))
    return 1 if report["failed"] else 0


def _targets(provider: str, given: str | None) -> Iterator[EntryPoint]:
    """What was given, else the entry points named `<provider>` or `<provider>.<variant>`."""
    if given is not None:
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as `python -m` does
        yield EntryPoint(provider, given, GROUP)
        return
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if point.name == provider or point.name.startswith(f"{provider}."):
            yield point


def _keep(provider: Provider, report: dict[str, Any]) -> None:
    path: Path = reports.path_of(provider.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(report, indent=2), "utf-8")
        beside.replace(path)
    except OSError as error:
        print(f"plugport: the report cannot be kept: {error.strerror}: {path}", file=sys.stderr)
        with contextlib.suppress(OSError):
            path.with_suffix(f".{os.getpid()}").unlink()
