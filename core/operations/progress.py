"""The progress of the operations that run in this process: published at once, stored now and then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

from ...hookspecs.values import JSON
from ..store.operations import Leases, OperationStore
from .model import LeaseLost, Operation

_STORE_SECONDS = 0.25


class Watchers:
    """One event per watched operation, and the latest phase of each operation that runs here."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self._phases: dict[str, str] = {}

    def change_of(self, operation_id: str) -> asyncio.Event:
        """Return the event that the operation's next change sets. Take it before you read the operation."""
        return self._events.setdefault(operation_id, asyncio.Event())

    def notify(self, operation_id: str) -> None:
        """Wake everyone who watches the operation."""
        if event := self._events.pop(operation_id, None):
            event.set()

    def set_phase(self, operation_id: str, phase: str | None) -> None:
        """Remember the phase of a running operation; None when it no longer runs here."""
        if phase is None:
            self._phases.pop(operation_id, None)
        else:
            self._phases[operation_id] = phase

    def with_phase(self, operation: Operation) -> Operation:
        """Return the operation with its latest phase."""
        phase = self._phases.get(operation.id)
        return operation if phase is None or operation.finished else replace(operation, phase=phase)


class Progress:
    """How a handler reports on the operation that it carries out."""

    def __init__(self, operation: Operation, store: OperationStore, leases: Leases, watchers: Watchers) -> None:
        self._operation, self._store, self._leases, self._watchers = operation, store, leases, watchers
        self._stored_at = time.monotonic()

    async def phase(self, name: str) -> None:
        """Publish the phase to local watchers at once; store it at most every 0.25 s: each write is an fsync."""
        self._watchers.set_phase(self._operation.id, name)
        if time.monotonic() - self._stored_at >= _STORE_SECONDS:
            self._stored_at = time.monotonic()
            await self._store.change(self._operation.id, phase=name)
        self._watchers.notify(self._operation.id)

    async def prepare(self, prepared: Mapping[str, JSON]) -> None:
        """Store what a later attempt must know (`Operation.prepared`); call it before the target is changed."""
        await self._store.change(self._operation.id, prepared=dict(prepared))

    async def fence(self) -> None:
        """Renew the workspace's lease; call it right before the target is changed.

        Raises `LeaseLost` if another worker has the lease.
        """
        if not await self._leases.renew(self._operation.workspace):
            raise LeaseLost
