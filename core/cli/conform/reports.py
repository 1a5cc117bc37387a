"""Reports of `plugport conform`: how they are made, shown, kept and found again. Imports nothing of the kit."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ....hookspecs.specs import HOOK_API_VERSION

if TYPE_CHECKING:
    from ....hookspecs.providers import Provider


def path_of(provider: str) -> Path:
    """Where the report of the provider lies: in `conformance` of the service's data directory."""
    given = os.environ.get("PLUGPORT_DATA_DIR")
    data = Path(given) if given else Path.home() / ".local" / "share" / "plugport"
    return data / "conformance" / f"{quote(provider, safe='')}.json"


def made(provider: Provider, results: list[dict[str, Any]]) -> dict[str, Any]:
    """The report of these results, each `{promise, case, target, outcome, reason, seconds}`."""
    from ....hookspecs.conformance import KIT_VERSION

    counted = Counter(one["outcome"] for one in results)
    return {
        "provider": provider.name,
        "distribution": provider.distribution,
        "version": provider.version,
        "kit_version": KIT_VERSION,
        "hook_api_version": HOOK_API_VERSION,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        **{outcome: counted[outcome] for outcome in ("passed", "failed", "skipped")},
        "promises": results,
    }


def kept(provider: str) -> dict[str, Any] | None:
    """The last report of the provider; None where there is none that can be read."""
    try:
        report = json.loads(path_of(provider).read_text("utf-8"))
        return report if isinstance(report, dict) else None
    except (OSError, ValueError):
        return None


def summary(report: dict[str, Any] | None, version: str) -> str:
    """A cell of `plugport providers`: how many of the promises that it declares it keeps, and by which kit."""
    if report is None:
        return "-"
    try:
        held = f"{report['passed']}/{report['passed'] + report['failed']} kit {report['kit_version']}"
        return held if report["version"] == version else f"{held}, of {report['version']}"
    except (KeyError, TypeError):
        return "-"


def text(report: dict[str, Any]) -> str:
    """The report for people: what is broken, what was not declared, and the count."""
    lines = []
    for one in (one for one in report["promises"] if one["outcome"] == "failed"):
        case = f" [{one['case']}]" if one["case"] else ""
        lines += [f"BROKEN  {one['promise']}{case}", *(f"        {line}" for line in one["reason"].splitlines())]
    undeclared = Counter(one["reason"] for one in report["promises"] if one["outcome"] == "skipped")
    lines += [f"skipped {number:3} {reason}" for reason, number in sorted(undeclared.items())]
    lines.append(
        f"{report['provider']} ({report['distribution']} {report['version']}): {report['passed']} kept, "
        f"{report['failed']} broken, {report['skipped']} undeclared "
        f"(kit {report['kit_version']}, hook API {report['hook_api_version']})"
    )
    return "\n".join(lines)
