"""`plugport conform`: checks an installed provider with the conformance kit, and saves the report."""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib.metadata import EntryPoint, entry_points

from ..conform import reports

GROUP = "plugport.conformance"
_NO_TARGET = """\
plugport: nothing says how to try {name}. Write a function that yields what the kit wants to know (see
docs/providers/conformance.md), and name it by --target MODULE:FUNCTION or by an entry point:

    [project.entry-points."{group}"]
    {name} = "your_package.conformance:target"
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser(
        "conform",
        help="check an installed provider with the conformance kit",
        description="Exit 0: the provider keeps every promise that it declares. 1: it breaks one. 2: it cannot be "
        "tried.",
    )
    parser.add_argument("provider", metavar="PROVIDER", help="a name that `plugport providers` shows")
    parser.add_argument(
        "--target",
        metavar="MODULE:FUNCTION",
        help=f"what to try it on; the default is the entry points of the group {GROUP} that have its name",
    )
    parser.add_argument("--json", action="store_true", help="write the report to standard output")
    parser.set_defaults(command=check_conformance, extra="conformance")


def check_conformance(args: argparse.Namespace) -> int:
    """Run the kit's suite against the provider, and save and print the report. Return the exit code."""
    from ....hookspecs.providers import ProviderStatus, discover

    named = [provider for provider in discover(allowed=[args.provider]) if provider.name == args.provider]
    provider = next((provider for provider in named if provider.status is ProviderStatus.LOADED), None)
    if provider is None:
        reason = named[0].reason if named else "there is no such provider: see `plugport providers`"
        print(f"plugport: {args.provider}: {reason}", file=sys.stderr)
        return 2
    targets = _targets(args.provider, args.target)
    if not targets:
        print(_NO_TARGET.format(name=args.provider, group=GROUP), file=sys.stderr, end="")
        return 2
    from ..conform.suite import TargetUnusable, run_suite

    results: list[reports.PromiseResult] = []
    for target in targets:
        try:
            results += run_suite(provider, target)
        except TargetUnusable as error:
            print(f"plugport: {target.value}: {error}", file=sys.stderr)
            return 2
    report = reports.create_report(provider, results)
    reports.save_report(report)
    print(json.dumps(report, indent=2) if args.json else reports.format_report(report))
    return 1 if report["failed"] else 0


def _targets(provider: str, target: str | None) -> list[EntryPoint]:
    """Return the target of the command line, else the entry points named `<provider>` or `<provider>.<variant>`."""
    if target is not None:
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as `python -m` does
        return [EntryPoint(provider, target, GROUP)]
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return [point for point in points if point.name == provider or point.name.startswith(f"{provider}.")]
