"""The table of registered workspaces."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ...hookspecs import errors
from ...hookspecs.values import Workspace
from .database import Store
from .tables import installed, leases, operations, tokens, workspaces

_COLUMNS = ("org", "runtime", "backend", "container", "instance_id", "options", "layout")


class Workspaces(Store):
    """Reads and writes the workspaces that were registered through the API."""

    async def get(self, workspace_id: str) -> Workspace | None:
        """Return the workspace as it is stored, or None if it is not registered."""
        rows = await self._database.fetch(select(workspaces).where(workspaces.c.id == workspace_id))
        return _workspace(rows[0]) if rows else None

    async def page(self, after: str, limit: int) -> list[Workspace]:
        """Return up to `limit` workspaces whose id sorts after `after`, ordered by id."""
        query = select(workspaces).where(workspaces.c.id > after).order_by(workspaces.c.id).limit(limit)
        return [_workspace(row) for row in await self._database.fetch(query)]

    async def add(self, workspace: Workspace) -> None:
        """Register the workspace. Raises `WorkspaceExists`."""
        values = {"id": workspace.id, "created_at": time.time(), **_values(workspace)}
        try:
            await self._database.execute(insert(workspaces).values(values))
        except IntegrityError as error:
            raise errors.WorkspaceExists from error

    async def change(self, workspace: Workspace) -> None:
        """Replace the stored workspace of this id. Raises `WorkspaceNotFound`. May be repeated."""
        query = update(workspaces).where(workspaces.c.id == workspace.id).values(_values(workspace))
        if not await self._database.execute(query):
            raise errors.WorkspaceNotFound

    async def remove(self, workspace_id: str) -> None:
        """Delete the workspace, its tokens, its lease and the record of its plugins.

        Its operations stay as history, but their idempotency keys are free again. Raises `WorkspaceNotFound`.
        """
        async with self._database.transaction() as connection:
            query = delete(workspaces).where(workspaces.c.id == workspace_id)
            if not (await connection.execute(query)).rowcount:
                raise errors.WorkspaceNotFound
            of_workspace = tokens.c.kind == "workspace", tokens.c.subject == workspace_id
            await connection.execute(delete(tokens).where(*of_workspace))
            await connection.execute(delete(installed).where(installed.c.workspace == workspace_id))
            await connection.execute(delete(leases).where(leases.c.workspace == workspace_id))
            await connection.execute(
                update(operations)
                .where(operations.c.workspace == workspace_id, operations.c.idempotency_key.is_not(None))
                .values(idempotency_key=None)
            )


def _values(workspace: Workspace) -> dict[str, Any]:
    return {column: getattr(workspace, column) for column in _COLUMNS} | {"options": dict(workspace.options)}


def _workspace(row: RowMapping) -> Workspace:
    return Workspace(row["id"], **{column: row[column] for column in _COLUMNS})
