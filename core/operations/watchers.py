"""Wakes whoever watches an operation in this process, and knows the phases that are not stored yet."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from .model import Operation


class Watchers:
    """One event per watched operation, and the latest phase of each operation that runs here."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self._phases: dict[str, str] = {}

    def change_of(self, identity: str) -> asyncio.Event:
        """Return the event that the operation's next change sets. Take it before you read the operation."""
        return self._events.setdefault(identity, asyncio.Event())

    def notify(self, identity: str) -> None:
        """Wake everyone who watches the operation."""
        if event := self._events.pop(identity, None):
            event.set()

    def set_phase(self, identity: str, phase: str | None) -> None:
        """Remember the phase of a running operation; None when it no longer runs here."""
        if phase is None:
            self._phases.pop(identity, None)
        else:
            self._phases[identity] = phase

    def with_phase(self, operation: Operation) -> Operation:
        """Return the operation with its latest phase."""
        phase = self._phases.get(operation.id)
        return operation if phase is None or operation.finished else replace(operation, phase=phase)
