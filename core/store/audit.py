"""The table of the audit log: who did what to which workspace."""

from __future__ import annotations

import time
from collections.abc import Mapping

from sqlalchemy import insert

from ...hookspecs.values import JSON
from .database import Database
from .tables import audit


class Audit:
    """Appends to the audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, actor: str, what: str, workspace: str | None, fields: Mapping[str, JSON]) -> None:
        """Append an entry: `what` is its kind, for example `plugin.installed`."""
        values = {"at": time.time(), "actor": actor, "what": what, "workspace": workspace, "fields": dict(fields)}
        await self._database.execute(insert(audit).values(values))
