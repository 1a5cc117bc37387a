"""The table of providers' own data: a small key-value store for each provider."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from sqlalchemy import ColumnElement, Delete, delete, insert, select

from ...hookspecs.values import JSON
from .database import Database
from .tables import provider_data

_MAX_KEY = 512
_MAX_VALUE = 64 * 1024


class ProviderStore:
    """The `KeyValueStore` of one provider, durable in the service's database."""

    def __init__(self, database: Database, provider: str) -> None:
        self._database, self._provider = database, provider

    async def get(self, key: str) -> JSON:
        """Return the value, or None if the key is absent."""
        rows = await self._database.fetch(select(provider_data.c.value).where(*self._at(key)))
        return cast("JSON", rows[0]["value"]) if rows else None

    async def put(self, key: str, value: JSON) -> None:
        """Write the value, in place of an earlier one. Raises `ValueError` if the key or the value is too long."""
        if len(key) > _MAX_KEY or len(json.dumps(value)) > _MAX_VALUE:
            raise ValueError(f"a key has at most {_MAX_KEY} characters, a value {_MAX_VALUE} bytes as JSON")
        values = {"provider": self._provider, "key": key, "value": value}
        await self._database.execute(self._delete(key), insert(provider_data).values(values))

    async def delete(self, key: str) -> bool:
        """Delete the key and return whether it was there."""
        return bool(await self._database.execute(self._delete(key)))

    async def keys(self, prefix: str = "") -> Sequence[str]:
        """Return the keys that start with `prefix`, sorted."""
        query = select(provider_data.c.key).where(provider_data.c.provider == self._provider)
        return sorted(row["key"] for row in await self._database.fetch(query) if row["key"].startswith(prefix))

    async def delete_matching(self, prefix: str, suffix: str) -> int:
        """Delete the keys with this prefix and this suffix, and return how many there were."""
        keys = [key for key in await self.keys(prefix) if key.endswith(suffix)]
        return sum([await self.delete(key) for key in keys])

    def _delete(self, key: str) -> Delete:
        return delete(provider_data).where(*self._at(key))

    def _at(self, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return provider_data.c.provider == self._provider, provider_data.c.key == key
