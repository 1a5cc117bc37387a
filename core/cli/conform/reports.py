"""Reports of `plugport conform`: creates, formats, saves and loads them. Imports nothing of the kit at import."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast
from urllib.parse import quote

from ....hookspecs.specs import HOOK_API_VERSION

if TYPE_CHECKING:
    from ....hookspecs.providers import Provider


class PromiseResult(TypedDict):
    """How one promise, or one case of it, ended. `outcome` is `passed`, `failed` or `skipped`."""

    promise: str
    case: str | None
    target: str
    outcome: str
    reason: str | None
    seconds: float


class Report(TypedDict):
    """A report as it is saved and printed. `at` is an ISO 8601 time."""

    provider: str
    distribution: str
    version: str
    kit_version: int
    hook_api_version: int
    at: str
    passed: int
    failed: int
    skipped: int
    promises: Sequence[PromiseResult]


def create_report(provider: Provider, results: Sequence[PromiseResult]) -> Report:
    """Return the report of a provider's results."""
    from ....hookspecs.conformance import KIT_VERSION

    outcomes = Counter(result["outcome"] for result in results)
    return {
        "provider": provider.name,
        "distribution": provider.distribution,
        "version": provider.version,
        "kit_version": KIT_VERSION,
        "hook_api_version": HOOK_API_VERSION,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "passed": outcomes["passed"],
        "failed": outcomes["failed"],
        "skipped": outcomes["skipped"],
        "promises": results,
    }


def save_report(report: Report) -> None:
    """Save the report for `plugport providers`. If that fails, print why."""
    path = _report_path(report["provider"])
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(report, indent=2), "utf-8")
        temporary.replace(path)
    except OSError as error:
        print(f"plugport: the report cannot be kept: {error.strerror}: {path}", file=sys.stderr)
        with contextlib.suppress(OSError):
            temporary.unlink()


def load_report(provider: str) -> Report | None:
    """Return the provider's last report, or None if there is none that can be read."""
    try:
        report = json.loads(_report_path(provider).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return cast("Report", report) if isinstance(report, dict) else None


def summary(provider: str, version: str) -> str:
    """Return the cell of `plugport providers`: kept promises, declared promises, and the kit's version."""
    report = load_report(provider)
    if report is None:
        return "-"
    try:
        kept = f"{report['passed']}/{report['passed'] + report['failed']} kit {report['kit_version']}"
        return kept if report["version"] == version else f"{kept}, of {report['version']}"
    except (KeyError, TypeError):
        return "-"


def format_report(report: Report) -> str:
    """Format the report for people: the broken promises, those that were not declared, and the counts."""
    lines = []
    for result in report["promises"]:
        if result["outcome"] == "failed":
            case = f" [{result['case']}]" if result["case"] else ""
            reason = (result["reason"] or "").splitlines()
            lines += [f"BROKEN  {result['promise']}{case}", *(f"        {line}" for line in reason)]
    undeclared = Counter(result["reason"] or "" for result in report["promises"] if result["outcome"] == "skipped")
    lines += [f"skipped {number:3} {reason}" for reason, number in sorted(undeclared.items())]
    lines.append(
        f"{report['provider']} ({report['distribution']} {report['version']}): {report['passed']} kept, "
        f"{report['failed']} broken, {report['skipped']} undeclared "
        f"(kit {report['kit_version']}, hook API {report['hook_api_version']})"
    )
    return "\n".join(lines)


def _report_path(provider: str) -> Path:
    """Return the path below the service's data directory."""
    data_dir = os.environ.get("PLUGPORT_DATA_DIR")
    data = Path(data_dir) if data_dir else Path.home() / ".local" / "share" / "plugport"
    return data / "conformance" / f"{quote(provider, safe='')}.json"
