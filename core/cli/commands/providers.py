"""`plugport providers`: shows the installed providers, their distributions and their status."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

from ..client import format_table
from ..conform import reports

if TYPE_CHECKING:
    from ....hookspecs.providers import Provider

_HEADS = ["NAME", "DISTRIBUTION", "STATUS", "SERVES", "IMPORT", "CONFORMANCE"]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `plugport`."""
    parser = subparsers.add_parser(
        "providers",
        help="show the installed providers, their hooks and status",
        description="Looks in this environment; no service needs to run. Exit 1: a provider failed.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(command=show_providers)


def show_providers(args: argparse.Namespace) -> int:
    """Discover the providers and print them. Return 1 if one failed or two conflict."""
    from ....hookspecs.providers import ProviderStatus, conflicts, discover

    allowed = os.environ.get("PLUGPORT_PROVIDERS_ALLOW")
    discovered = discover(
        allowed=None if allowed is None else _split(allowed),
        blocked=_split(os.environ.get("PLUGPORT_PROVIDERS_BLOCK", "")),
    )
    providers = [provider for provider in discovered if args.name in {None, provider.name}]
    if not providers:
        print("plugport: there is no such provider", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps([_description(provider) for provider in providers]))
    elif args.name is None:
        print(format_table(_HEADS, [_row(provider) for provider in providers]))
        print("".join(f"{each.label}: {message}\n" for each in providers for message in _messages(each)), end="")
    else:
        print("\n".join(_details(provider) for provider in providers))
    conflicting = conflicts(discovered)
    for message in conflicting:
        print(f"plugport: {message}", file=sys.stderr)
    return 1 if conflicting or any(provider.status is ProviderStatus.FAILED for provider in providers) else 0


def _description(provider: Provider) -> dict[str, object]:
    report = reports.load_report(provider.name)
    return {
        "name": provider.name,
        "distribution": provider.distribution,
        "version": provider.version,
        "status": provider.status.value,
        "reason": provider.reason,
        "notes": list(provider.notes),
        "hooks": sorted(provider.hooks),
        "schemes": sorted(provider.schemes),
        "backend": provider.backend,
        "layouts": sorted(provider.layouts),
        "format": provider.format,
        "hook_api_version": provider.hook_api_version,
        "import_seconds": round(provider.import_seconds, 4),
        "conformance": report and {key: value for key, value in report.items() if key != "promises"},
    }


def _row(provider: Provider) -> list[str]:
    serves = [f"{scheme}://" for scheme in provider.schemes] + ([provider.backend] if provider.backend else [])
    serves += [f"layout {layout}" for layout in provider.layouts]
    serves += [f"format {provider.format}"] if provider.format else []
    return [
        provider.name,
        f"{provider.distribution} {provider.version}",
        provider.status.value,
        " ".join(serves) or ", ".join(sorted(provider.hooks)),
        f"{provider.import_seconds * 1000:.0f} ms",
        reports.summary(provider.name, provider.version),
    ]


def _messages(provider: Provider) -> list[str]:
    """Return what its author or operator must know: why it failed, and what to change."""
    reason = provider.reason if provider.status.value == "failed" else None
    return [*([reason] if reason else []), *provider.notes]


def _details(provider: Provider) -> str:
    fields = _description(provider) | {
        "hooks": ", ".join(sorted(provider.hooks)) or "-",
        "schemes": ", ".join(provider.schemes) or "-",
        "backend": provider.backend or "-",
        "layouts": ", ".join(provider.layouts) or "-",
        "format": provider.format or "-",
        "reason": provider.reason or "-",
        "notes": "; ".join(provider.notes) or "-",
        "conformance": reports.summary(provider.name, provider.version),
    }
    return "\n".join(f"{key}: {value}" for key, value in fields.items())


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
