"""The table of organisations' allowlists."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import Executable, delete, insert, select

from .database import Store
from .tables import allowlists


class Allowlists(Store):
    """Reads and replaces allowlists. Without a list everything is allowed; an empty list allows nothing."""

    async def get(self, org: str) -> list[str] | None:
        """Return the organisation's list, or None if it has none."""
        rows = await self._database.fetch(select(allowlists.c.plugins).where(allowlists.c.org == org))
        return list(rows[0]["plugins"]) if rows else None

    async def put(self, org: str, plugins: Sequence[str] | None) -> None:
        """Replace the organisation's list; None deletes it. May be repeated."""
        statements: list[Executable] = [delete(allowlists).where(allowlists.c.org == org)]
        if plugins is not None:
            values = {"org": org, "plugins": list(plugins), "changed_at": time.time()}
            statements.append(insert(allowlists).values(values))
        await self._database.execute(*statements)
