"""`plugport providers`: what is installed here, from which distribution, and what became of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from plugport.core.cli.client import table


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
    from plugport.hookspecs.loading import discover

    allowed = os.environ.get("PLUGPORT_PROVIDERS_ALLOW")
    found = discover(
        allowed=None if allowed is None else _names(allowed),
        blocked=_names(os.environ.get("PLUGPORT_PROVIDERS_BLOCK", "")),
    )
    told = [_told(one) for one in found if args.name in (None, one.name)]
    if not told:
        print("plugport: there is no such provider", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(told))
    elif args.name is None:
        print(table([_row(one) for one in told], ["NAME", "DISTRIBUTION", "STATUS", "SERVES", "IMPORT"]))
        for one in (one for one in told if one["status"] == "failed"):
            print(f"{one['name']}: {one['reason']}")
    else:
        for one in told:
            print("\n".join(f"{key}: {value}" for key, value in one.items()))
    return 1 if any(one["status"] == "failed" for one in told) else 0


def _told(one: Any) -> dict[str, Any]:
    return {
        "name": one.name,
        "distribution": one.distribution,
        "version": one.version,
        "status": one.status.value,
        "reason": one.reason,
        "hooks": sorted(one.hooks),
        "schemes": sorted(one.schemes),
        "backend": one.backend,
        "import_seconds": round(one.import_seconds, 4),
    }


def _row(one: dict[str, Any]) -> list[str]:
    serves = [f"{scheme}://" for scheme in one["schemes"]] + ([one["backend"]] if one["backend"] else [])
    return [
        one["name"],
        f"{one['distribution']} {one['version']}",
        one["status"],
        " ".join(serves) or ", ".join(one["hooks"]) or "-",
        f"{one['import_seconds'] * 1000:.0f} ms",
    ]


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]
