"""What was installed where, providers' own data, and the audit log."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import delete, insert, select

from ...hookspecs.values import JSON
from .database import Database
from .tables import audit, installed, provider_data

_MAX_KEY = 512
_MAX_VALUE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One plugin that a workspace has, as the service recorded it.

    `footprints` are those of the installed version and of the versions before it, newest first: an agent's
    adaptor may have left an older version's files in place. `verified` is False where nobody read it back.
    """

    workspace: str
    name: str
    source: str
    digest: str
    revision: str | None
    version: str | None
    manifest: Mapping[str, JSON]
    footprints: tuple[JSON, ...]
    verified: bool
    supported: bool
    installed_at: float


class Ledger:
    """The table of installed plugins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_workspace(self, workspace_id: str) -> dict[str, Entry]:
        """Every entry of the workspace, by name."""
        query = select(installed).where(installed.c.workspace == workspace_id).order_by(installed.c.name)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings()
            return {row["name"]: _entry(dict(row)) for row in rows}

    async def put(self, entry: Entry) -> None:
        """Record the entry in place of the one before."""
        values = {name: getattr(entry, name) for name in installed.c.keys()}  # noqa: SIM118
        values |= {"manifest": dict(entry.manifest), "footprints": list(entry.footprints)}
        async with self._database.writing() as connection:
            await connection.execute(_of(entry.workspace, entry.name))
            await connection.execute(insert(installed).values(values))

    async def remove(self, workspace_id: str, name: str) -> None:
        """Forget the entry; one that is not there is fine."""
        async with self._database.writing() as connection:
            await connection.execute(_of(workspace_id, name))


class ProviderStore:
    """One provider's `KeyValueStore`, durable in the service's database."""

    def __init__(self, database: Database, provider: str) -> None:
        self._database, self._provider = database, provider

    async def get(self, key: str) -> JSON:
        """The value, or None."""
        query = select(provider_data.c.value).where(*self._at(key))
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return cast("JSON", row.value) if row else None

    async def put(self, key: str, value: JSON) -> None:
        """Write the value. Raises `ValueError` where the key or the value is too long."""
        if len(key) > _MAX_KEY or len(json.dumps(value)) > _MAX_VALUE:
            raise ValueError(f"a key has at most {_MAX_KEY} characters, a value {_MAX_VALUE} bytes as JSON")
        async with self._database.writing() as connection:
            await connection.execute(delete(provider_data).where(*self._at(key)))
            values = {"provider": self._provider, "key": key, "value": value}
            await connection.execute(insert(provider_data).values(values))

    async def delete(self, key: str) -> bool:
        """Forget the key; whether it was there."""
        async with self._database.writing() as connection:
            return bool((await connection.execute(delete(provider_data).where(*self._at(key)))).rowcount)

    async def keys(self, prefix: str = "") -> Sequence[str]:
        """The keys that start with `prefix`, sorted."""
        query = select(provider_data.c.key).where(provider_data.c.provider == self._provider)
        async with self._database.reading() as connection:
            return sorted(row.key for row in await connection.execute(query) if row.key.startswith(prefix))

    def _at(self, key: str) -> tuple[Any, Any]:
        return provider_data.c.provider == self._provider, provider_data.c.key == key


class Audit:
    """The audit log: who did what to which workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, actor: str, what: str, workspace: str | None, fields: Mapping[str, JSON]) -> None:
        """Append an entry."""
        values = {"at": time.time(), "actor": actor, "what": what, "workspace": workspace, "fields": dict(fields)}
        async with self._database.writing() as connection:
            await connection.execute(insert(audit).values(values))


def _of(workspace_id: str, name: str) -> Any:
    return delete(installed).where(installed.c.workspace == workspace_id, installed.c.name == name)


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(**row | {"footprints": tuple(row["footprints"])})
