"""The table of operations, which forgets nothing that it accepted, and the leases by which one worker runs them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ...hookspecs import errors
from ..operations.model import OPEN, NewOperation, Operation, request_of_row
from .database import Database, Store
from .tables import leases, operations


class OperationStore(Store):
    """Reads and writes operations."""

    async def accept(self, new: NewOperation) -> tuple[Operation, bool]:
        """Store the operation, or find the one with the same idempotency key. The flag is True for a new one.

        Raises `IdempotencyConflict` if the key belongs to another request.
        """
        operation_id = str(uuid.uuid4())
        source = new.request.source
        values = {
            "id": operation_id,
            "kind": new.request.action.value,
            "workspace": new.workspace,
            "actor": new.actor,
            "request_id": new.request_id,
            "request": new.request.to_json(),
            "idempotency_key": new.idempotency_key,
            "fingerprint": new.fingerprint,
            "plugin": new.request.plugin,
            "source": None if source is None else str(source),
            "status": "queued",
            "phase": "queued",
            "attempts": 0,
            "created_at": time.time(),
        }
        try:
            await self._database.execute(insert(operations).values(values))
        except IntegrityError:
            earlier = await self.find_by_idempotency_key(new)
            if earlier is None:
                raise
            return earlier, False
        return await self.get(operation_id), True

    async def find_by_idempotency_key(self, new: NewOperation) -> Operation | None:
        """Return the stored operation with the workspace and the idempotency key of `new`, or None.

        Raises `IdempotencyConflict` if it was stored for another request.
        """
        if new.idempotency_key is None:
            return None
        same_key = operations.c.idempotency_key == new.idempotency_key
        stored = await self._fetch(select(operations).where(operations.c.workspace == new.workspace, same_key))
        if stored and stored[0].fingerprint != new.fingerprint:
            raise errors.IdempotencyConflict
        return stored[0] if stored else None

    async def get(self, operation_id: str) -> Operation:
        """Return the operation. Raises `OperationNotFound`."""
        stored = await self._fetch(select(operations).where(operations.c.id == operation_id))
        if not stored:
            raise errors.OperationNotFound
        return stored[0]

    async def page(self, workspaces: Sequence[str] | None, before: int | None, limit: int) -> list[Operation]:
        """Return up to `limit` operations, newest first: of these workspaces (None: of all), with `seq` below
        `before`."""
        query = select(operations).order_by(operations.c.seq.desc()).limit(limit)
        if workspaces is not None:
            query = query.where(operations.c.workspace.in_(workspaces))
        if before is not None:
            query = query.where(operations.c.seq < before)
        return await self._fetch(query)

    async def workspaces_with_open(self) -> list[str]:
        """Return the ids of the workspaces that have open operations."""
        query = select(operations.c.workspace).where(operations.c.status.in_(OPEN)).distinct()
        return [row["workspace"] for row in await self._database.fetch(query)]

    async def next_open(self, workspace: str) -> Operation | None:
        """Return the oldest open operation of the workspace, or None."""
        of_workspace = operations.c.workspace == workspace, operations.c.status.in_(OPEN)
        stored = await self._fetch(select(operations).where(*of_workspace).order_by(operations.c.seq).limit(1))
        return stored[0] if stored else None

    async def change(self, operation_id: str, **values: object) -> None:
        """Change columns of an open operation. An operation that has ended is left as it is."""
        is_open = operations.c.id == operation_id, operations.c.status.in_(OPEN)
        await self._database.execute(update(operations).where(*is_open).values(**values))

    async def _fetch(self, query: Select[Any]) -> list[Operation]:
        rows = await self._database.fetch(query)
        return [
            Operation(**{**row, "request": request_of_row(row["kind"], row["plugin"], row["request"])})
            for row in rows
        ]


class Leases:
    """Takes, renews and releases the leases of one owner. A lease that is not renewed expires after `seconds`, so
    that the workspaces of a crashed process become free."""

    def __init__(self, database: Database, owner: str, seconds: float) -> None:
        self._database, self._owner, self._seconds = database, owner, seconds

    async def take(self, workspace: str) -> bool:
        """Take or keep the lease. Return False while another owner has it. May be repeated."""
        now = time.time()
        values = {"owner": self._owner, "expires_at": now + self._seconds}
        mine_or_expired = (leases.c.owner == self._owner) | (leases.c.expires_at < now)
        query = update(leases).where(leases.c.workspace == workspace, mine_or_expired).values(values)
        try:
            async with self._database.transaction() as connection:
                if not (await connection.execute(query)).rowcount:
                    await connection.execute(insert(leases).values(workspace=workspace, **values))
        except IntegrityError:
            return False
        return True

    async def renew(self, workspace: str) -> bool:
        """Extend the lease. Return False if it was lost; the caller must then stop."""
        query = update(leases).where(leases.c.workspace == workspace, leases.c.owner == self._owner)
        return bool(await self._database.execute(query.values(expires_at=time.time() + self._seconds)))

    async def release(self, workspace: str) -> None:
        """Give the lease back, if this owner still has it."""
        query = delete(leases).where(leases.c.workspace == workspace, leases.c.owner == self._owner)
        await self._database.execute(query)

    async def release_all(self) -> None:
        """Delete every owner's leases: for the start of the only process that uses the database."""
        await self._database.execute(delete(leases))
