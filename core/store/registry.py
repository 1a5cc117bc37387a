"""What the service knows of workspaces, tokens and organisations' allowlists."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ...hookspecs import errors
from ...hookspecs.values import Workspace
from .database import Database
from .tables import allowlists, installed, leases, operations, tokens, workspaces

_COLUMNS = ("org", "runtime", "backend", "container", "instance_id", "options")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a token belongs to: `kind` is `admin`, `org` or `workspace`."""

    kind: str
    subject: str


class Workspaces:
    """The table of workspaces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, workspace_id: str) -> Workspace | None:
        """The row, or None."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(workspaces).where(workspaces.c.id == workspace_id))).mappings()
            found = row.first()
        return _workspace(found) if found else None

    async def page(self, after: str, limit: int) -> list[Workspace]:
        """Up to `limit` rows whose id comes after `after`, by id."""
        query = select(workspaces).where(workspaces.c.id > after).order_by(workspaces.c.id).limit(limit)
        async with self._database.reading() as connection:
            return [_workspace(row) for row in (await connection.execute(query)).mappings()]

    async def add(self, workspace: Workspace) -> None:
        """Register it. Raises `WorkspaceExists`."""
        values = {"id": workspace.id, "created_at": time.time(), **_values(workspace)}
        try:
            async with self._database.writing() as connection:
                await connection.execute(insert(workspaces).values(values))
        except IntegrityError as error:
            raise errors.WorkspaceExists from error

    async def change(self, workspace: Workspace) -> None:
        """Replace the row. Raises `WorkspaceNotFound`."""
        query = update(workspaces).where(workspaces.c.id == workspace.id).values(_values(workspace))
        async with self._database.writing() as connection:
            if not (await connection.execute(query)).rowcount:
                raise errors.WorkspaceNotFound

    async def remove(self, workspace_id: str) -> None:
        """Forget the workspace, its tokens and what is known of its plugins; its operations stay as history.

        Raises `WorkspaceNotFound`.
        """
        async with self._database.writing() as connection:
            query = delete(workspaces).where(workspaces.c.id == workspace_id)
            if not (await connection.execute(query)).rowcount:
                raise errors.WorkspaceNotFound
            await connection.execute(
                delete(tokens).where(tokens.c.kind == "workspace", tokens.c.subject == workspace_id)
            )
            await connection.execute(delete(installed).where(installed.c.workspace == workspace_id))
            await connection.execute(delete(leases).where(leases.c.workspace == workspace_id))
            await connection.execute(
                update(operations)
                .where(operations.c.workspace == workspace_id, operations.c.idempotency_key.is_not(None))
                .values(idempotency_key=None)
            )


class Tokens:
    """Tokens, kept as their sha256 alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, token: str, owner: Owner) -> None:
        """Let the token in as `owner`."""
        values = {"hash": _hash(token), "kind": owner.kind, "subject": owner.subject, "created_at": time.time()}
        async with self._database.writing() as connection:
            await connection.execute(insert(tokens).values(values))

    async def owner(self, token: str) -> Owner | None:
        """Whose token it is, or None."""
        query = select(tokens.c.kind, tokens.c.subject).where(tokens.c.hash == _hash(token))
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return Owner(row.kind, row.subject) if row else None

    async def any_admin(self) -> bool:
        """Whether an admin token was ever made."""
        async with self._database.reading() as connection:
            query = select(tokens.c.hash).where(tokens.c.kind == "admin").limit(1)
            return (await connection.execute(query)).first() is not None


class Allowlists:
    """Organisations' allowlists. No row: everything is allowed; an empty list: nothing is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, org: str) -> list[str] | None:
        """The list, or None where the organisation has none."""
        async with self._database.reading() as connection:
            query = select(allowlists.c.plugins).where(allowlists.c.org == org)
            row = (await connection.execute(query)).first()
        return list(row.plugins) if row else None

    async def put(self, org: str, plugins: Sequence[str] | None) -> None:
        """Replace the list; None takes it away."""
        async with self._database.writing() as connection:
            await connection.execute(delete(allowlists).where(allowlists.c.org == org))
            if plugins is not None:
                values = {"org": org, "plugins": list(plugins), "changed_at": time.time()}
                await connection.execute(insert(allowlists).values(values))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _values(workspace: Workspace) -> dict[str, Any]:
    values = {column: getattr(workspace, column) for column in _COLUMNS}
    return values | {"options": dict(workspace.options)}


def _workspace(row: RowMapping | Mapping[str, Any]) -> Workspace:
    return Workspace(row["id"], **{column: row[column] for column in _COLUMNS})
