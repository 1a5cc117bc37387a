"""`plugport providers`: what is installed here, from which distribution, and what became of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from ..conform import reports

if TYPE_CHECKING:
    from ....hookspecs.providers import Provider

_HEADS = ["NAME", "DISTRIBUTION", "STATUS", "SERVES", "IMPORT", "CONFORMANCE"]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser(
        "providers",
        help="the installed providers, their hooks and status",
        description="Looks in this environment; no service needs to run. Exit 1: one of them failed.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Discover and print."""
    from ....hookspecs.providers import ProviderStatus, conflicts, discover
    from ..client import table

    allowed = os.environ.get("PLUGPORT_PROVIDERS_ALLOW")
    every = discover(
        allowed=None if allowed is None else _names(allowed),
        blocked=_names(os.environ.get("PLUGPORT_PROVIDERS_BLOCK", "")),
    )
    found = [one for one in every if args.name in {None, one.name}]
    if not found:
        print("plugport: there is no such provider", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps([_told(one) for one in found]))
    elif args.name is None:
        print(table([_row(one) for one in found], _HEADS))
        print("".join(f"{one.label}: {line}\n" for one in found for line in _lines(one)), end="")
    else:
        print("\n".join(_in_full(one) for one in found))
    clashing = conflicts(every)
    for line in clashing:
        print(f"plugport: {line}", file=sys.stderr)
    return 1 if clashing or any(one.status is ProviderStatus.FAILED for one in found) else 0


def _told(one: Provider) -> dict[str, Any]:
    report = reports.kept(one.name)
    return {
        "name": one.name,
        "distribution": one.distribution,
        "version": one.version,
        "status": one.status.value,
        "reason": one.reason,
        "notes": list(one.notes),
        "hooks": sorted(one.hooks),
        "schemes": sorted(one.schemes),
        "backend": one.backend,
        "hook_api_version": one.hook_api_version,
        "import_seconds": round(one.import_seconds, 4),
        "conformance": report and {key: value for key, value in report.items() if key != "promises"},
    }


def _row(one: Provider) -> list[str]:
    serves = [f"{scheme}://" for scheme in one.schemes] + ([one.backend] if one.backend else [])
    return [
        one.name,
        f"{one.distribution} {one.version}",
        one.status.value,
        " ".join(serves) or ", ".join(sorted(one.hooks)) or "-",
        f"{one.import_seconds * 1000:.0f} ms",
        reports.summary(reports.kept(one.name), one.version),
    ]


def _lines(one: Provider) -> list[str]:
    """What its author or operator must know: why it failed, and what it should change."""
    return [*([one.reason] if one.reason and one.status.value == "failed" else []), *one.notes]


def _in_full(one: Provider) -> str:
    told = _told(one) | {
        "hooks": ", ".join(sorted(one.hooks)) or "-",
        "schemes": ", ".join(one.schemes) or "-",
        "backend": one.backend or "-",
        "reason": one.reason or "-",
        "notes": "; ".join(one.notes) or "-",
        "conformance": reports.summary(reports.kept(one.name), one.version),
    }
    return "\n".join(f"{key}: {value}" for key, value in told.items())


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]
