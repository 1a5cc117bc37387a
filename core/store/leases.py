"""The table of leases: one worker at a time has a workspace."""

from __future__ import annotations

import time

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from .database import Database
from .tables import leases


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
