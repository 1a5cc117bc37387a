"""The progress of one running operation: published at once, stored now and then."""

from __future__ import annotations

import time

from ..store.leases import Leases
from ..store.operations import OperationStore
from .model import LeaseLost, Operation
from .watchers import Watchers

_STORE_SECONDS = 0.25


class StoredProgress:
    """The `Progress` of an operation that this process runs."""

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

    async def fence(self) -> None:
        """Renew the lease. Raises `LeaseLost` if another worker has it."""
        if not await self._leases.renew(self._operation.workspace):
            raise LeaseLost
