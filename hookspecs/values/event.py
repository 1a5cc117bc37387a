"""What observers receive."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened and was recorded.

    `kind` is `plugin.installed`, `plugin.uninstalled`, `plugin.downloaded` or `operation.failed`; `problem` is
    the slug of the error for the last.
    """

    kind: str
    workspace: str
    plugin: str | None = None
    source: str | None = None
    digest: str | None = None
    operation: str | None = None
    problem: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
