"""Opens the database, migrates it to the newest revision and runs statements."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Executable, RowMapping, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from .tables import metadata

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_TIMEOUT_MS = 30_000


class Database:
    """Runs statements on one engine.

    On SQLite a lock admits one writer of this process at a time, so that none fails with "database is locked".
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._write_lock = asyncio.Lock() if engine.dialect.name == "sqlite" else None

    @classmethod
    async def open(cls, url: str) -> Database:
        """Connect and migrate. Raises SQLAlchemy's errors if the database cannot be reached."""
        engine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if engine.dialect.name == "sqlite":
            event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        async with engine.begin() as connection:
            await connection.run_sync(_migrate)
        return cls(engine)

    async def fetch(self, query: Executable) -> Sequence[RowMapping]:
        """Run a query and return all its rows."""
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).mappings().all()

    async def execute(self, *statements: Executable) -> int:
        """Run the statements in one transaction and return how many rows the last one changed."""
        changed = 0
        async with self.transaction() as connection:
            for statement in statements:
                changed = (await connection.execute(statement)).rowcount
        return changed

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction. It is committed at the end of the block, or rolled back if the block raises."""
        async with self._write_lock or contextlib.nullcontext(), self._engine.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


class Store:
    """A part of the database that one module reads and writes."""

    def __init__(self, database: Database) -> None:
        self._database = database


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    command.upgrade(config, "head")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()
