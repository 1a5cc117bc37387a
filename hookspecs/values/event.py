"""What observers are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Event:
    """What observers hear of: something that has happened, after it was recorded.

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
