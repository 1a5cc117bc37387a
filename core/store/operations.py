"""The journal of operations, and the leases by which one worker at a time has a workspace."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ...hookspecs import errors
from ...hookspecs.values import JSON
from .database import Database
from .tables import leases, operations

OPEN = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Operation:
    """One install or uninstall. Times in seconds since 1970; `error` is the problem document of a failure;
    `result` is the reply to a success; `request` is what was asked for; `attempts` counts the starts."""

    seq: int
    id: str
    kind: str
    workspace: str
    actor: str
    request_id: str
    request: Mapping[str, Any]
    idempotency_key: str | None
    fingerprint: str
    plugin: str | None
    source: str | None
    digest: str | None
    status: str
    phase: str
    attempts: int
    created_at: float
    finished_at: float | None
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None

    @property
    def finished(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self.status not in OPEN


class Journal:
    """The table of operations: what was accepted here is never forgotten."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(
        self,
        *,
        kind: str,
        workspace: str,
        actor: str,
        request_id: str,
        request: Mapping[str, JSON],
        fingerprint: str,
        idempotency_key: str | None = None,
        plugin: str | None = None,
        source: str | None = None,
    ) -> tuple[Operation, bool]:
        """Write the operation down, or find the one that has the same key; the flag says whether it is new.

        Raises `IdempotencyConflict` when the key stands for another request.
        """
        identity = str(uuid.uuid4())
        values = {
            "id": identity,
            "kind": kind,
            "workspace": workspace,
            "actor": actor,
            "request_id": request_id,
            "request": dict(request),
            "idempotency_key": idempotency_key,
            "fingerprint": fingerprint,
            "plugin": plugin,
            "source": source,
            "status": "queued",
            "phase": "queued",
            "attempts": 0,
            "created_at": time.time(),
        }
        try:
            async with self._database.writing() as connection:
                await connection.execute(insert(operations).values(values))
        except IntegrityError:
            if idempotency_key is None:
                raise
            earlier = await self.by_key(workspace, idempotency_key, fingerprint)
            if earlier is None:
                raise
            return earlier, False
        return await self.get(identity), True

    async def by_key(self, workspace: str, key: str, fingerprint: str) -> Operation | None:
        """The operation that has this key, or None. Raises `IdempotencyConflict`."""
        query = select(operations).where(operations.c.workspace == workspace, operations.c.idempotency_key == key)
        found = await self._all(query)
        if found and found[0].fingerprint != fingerprint:
            raise errors.IdempotencyConflict
        return found[0] if found else None

    async def get(self, identity: str) -> Operation:
        """The operation. Raises `OperationNotFound`."""
        found = await self._all(select(operations).where(operations.c.id == identity))
        if not found:
            raise errors.OperationNotFound
        return found[0]

    async def page(self, workspaces: Sequence[str] | None, before: int | None, limit: int) -> list[Operation]:
        """The newest first: of these workspaces (None: of all), with a `seq` below `before`."""
        query = select(operations).order_by(operations.c.seq.desc()).limit(limit)
        if workspaces is not None:
            query = query.where(operations.c.workspace.in_(workspaces))
        if before is not None:
            query = query.where(operations.c.seq < before)
        return await self._all(query)

    async def waiting(self) -> list[str]:
        """The workspaces that have open operations."""
        query = select(operations.c.workspace).where(operations.c.status.in_(OPEN)).distinct()
        async with self._database.reading() as connection:
            return [row.workspace for row in await connection.execute(query)]

    async def next_of(self, workspace: str) -> Operation | None:
        """The oldest open operation of the workspace."""
        query = (
            select(operations)
            .where(operations.c.workspace == workspace, operations.c.status.in_(OPEN))
            .order_by(operations.c.seq)
            .limit(1)
        )
        found = await self._all(query)
        return found[0] if found else None

    async def change(self, identity: str, **values: object) -> None:
        """Change columns of an operation that is still open; an ended one stays as it ended."""
        query = update(operations).where(operations.c.id == identity, operations.c.status.in_(OPEN))
        async with self._database.writing() as connection:
            await connection.execute(query.values(**values))

    async def _all(self, query: Select[Any]) -> list[Operation]:
        async with self._database.reading() as connection:
            return [Operation(**row) for row in (await connection.execute(query)).mappings()]


class Leases:
    """Who works on which workspace. A lease that is not renewed ends, so that a crash holds nobody up."""

    def __init__(self, database: Database, owner: str, seconds: float) -> None:
        self._database, self._owner, self._seconds = database, owner, seconds

    async def take(self, workspace: str) -> bool:
        """Take the workspace, or keep it; False while another owner has it. May be repeated."""
        now = time.time()
        values = {"owner": self._owner, "expires_at": now + self._seconds}
        mine_or_over = (leases.c.owner == self._owner) | (leases.c.expires_at < now)
        query = update(leases).where(leases.c.workspace == workspace, mine_or_over).values(values)
        try:
            async with self._database.writing() as connection:
                if (await connection.execute(query)).rowcount:
                    return True
                await connection.execute(insert(leases).values(workspace=workspace, **values))
        except IntegrityError:
            return False
        return True

    async def renew(self, workspace: str) -> bool:
        """Keep the workspace; False where it was lost, and the work must stop."""
        query = update(leases).where(leases.c.workspace == workspace, leases.c.owner == self._owner)
        async with self._database.writing() as connection:
            return bool((await connection.execute(query.values(expires_at=time.time() + self._seconds))).rowcount)

    async def release(self, workspace: str) -> None:
        """Give the workspace back."""
        async with self._database.writing() as connection:
            await connection.execute(
                delete(leases).where(leases.c.workspace == workspace, leases.c.owner == self._owner)
            )

    async def forget_all(self) -> None:
        """End every lease: for a database that one process alone uses, at its start."""
        async with self._database.writing() as connection:
            await connection.execute(delete(leases))
