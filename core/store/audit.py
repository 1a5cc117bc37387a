"""The table of the audit log: who did what to which workspace."""

from __future__ import annotations

import time
from collections.abc import Mapping

from sqlalchemy import insert

from ...hookspecs.values import JSON
from .database import Store
from .tables import audit


class Audit(Store):
    """Appends to the audit log."""

    async def write(self, actor: str, what: str, workspace: str | None, fields: Mapping[str, JSON]) -> None:
        """Append an entry: `what` is its kind, for example `plugin.installed`."""
        values = {"at": time.time(), "actor": actor, "what": what, "workspace": workspace, "fields": dict(fields)}
        await self._database.execute(insert(audit).values(values))
