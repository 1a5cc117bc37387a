"""Which parts of a plugin of each format each agent saw: the recorded runs, from which the documentation is made.

`PLUGPORT_RECORD_AGENTS=1` makes tests/runtimes write what it saw.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[3] / "docs/runtimes/runs.json"
RECORDED = os.environ.get("PLUGPORT_RECORD_AGENTS") == "1"
"""Read when the tests are collected: later, a fixture removes every setting."""

SEEN, TRUSTED, UNSUPPORTED, ABSENT = "seen", "seen once trusted", "not supported", "not in the format"


def recorded() -> dict[str, Any]:
    """Return the recorded runs, by runtime: `version`, `date` and `formats` (by format, by kind of part)."""
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}


def record(runtime: str, version: str, **results: Mapping[str, Mapping[str, str]] | bool) -> None:
    """Write what an agent saw, if this run is recorded: `formats`, or `lifecycle` (it passed)."""
    if RECORDED:
        runs = recorded()
        today = datetime.now(UTC).date().isoformat()
        run = runs.get(runtime, {}) if runs.get(runtime, {}).get("version") == version else {}
        runs[runtime] = {**run, "version": version, "date": today, **results}
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(json.dumps(dict(sorted(runs.items())), indent=2) + "\n", "utf-8")
