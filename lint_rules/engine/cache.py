"""Keeps results between runs, in one SQLite file for each project, in the user's cache folder.

The key of a row covers everything that the row was made from, so nothing has to be invalidated: a row without a
matching key is made again. A cache that cannot be opened, read or written is no error; the run is only slower.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

SCHEMA = 2
_KEPT = 30 * 24 * 3600
"""Seconds for which results of another configuration or version are kept."""


def digest(*parts: bytes) -> str:
    """Return a short digest of the parts, which also depends on where each part ends."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8, "big"))
        state.update(part)
    return state.hexdigest()


def canonical(value: object) -> bytes:
    """Return JSON of the value with sorted keys: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Row:
    """What one rule knows of one file. `content` is the digest of the file's bytes and name, `summary` that of its
    summary (None: it has none). `linked` is the digest of the linked facts under which `findings` (JSON) were made
    (None: the file was never checked), and `reads` (JSON) has the summaries that were read for them."""

    content: str
    wanted: bool
    summary: str | None = None
    linked: str | None = None
    findings: str = "[]"
    reads: str = "{}"


class ResultCache:
    """The store of one project. Reading and writing never raise."""

    def __init__(self, file: Path | None) -> None:
        self._connection: sqlite3.Connection | None = None
        if file is not None:
            with contextlib.suppress(OSError, sqlite3.Error):
                self._connection = _open(file)

    def rows(self, key: str) -> dict[str, Row]:
        """Return every row of a rule's key, by relative path."""
        query = "SELECT path, content, wanted, summary, linked, findings, reads FROM results WHERE key = ?"
        return {path: Row(content, bool(wanted), *rest) for path, content, wanted, *rest in self._read(query, key)}

    def summaries(self, key: str) -> dict[str, str]:
        """Return every summary of a rule's key as JSON, by relative path."""
        return {row[0]: row[1] for row in self._read("SELECT path, body FROM summaries WHERE key = ?", key)}

    def linked(self, key: str) -> tuple[str, str] | None:
        """Return the digest of the summaries that were linked last, and the facts as JSON."""
        rows = self._read("SELECT project, facts FROM links WHERE key = ?", key)
        return (rows[0][0], rows[0][1]) if rows else None

    def save(
        self,
        key: str,
        rows: Mapping[str, Row],
        summaries: Mapping[str, str],
        linked: tuple[str, str] | None,
        gone: Iterable[str] = (),
    ) -> None:
        """Write what is new of one rule; `gone` are paths that no longer exist."""
        if self._connection is None:
            return
        with contextlib.suppress(sqlite3.Error), self._connection as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (key, path, row.content, row.wanted, row.summary, row.linked, row.findings, row.reads)
                    for path, row in rows.items()
                ],
            )
            replaced = [(key, path) for path in rows if path not in summaries and rows[path].summary is None]
            missing = [(key, path) for path in gone]
            connection.executemany("DELETE FROM summaries WHERE key = ? AND path = ?", replaced + missing)
            connection.executemany("DELETE FROM results WHERE key = ? AND path = ?", missing)
            connection.executemany(
                "INSERT OR REPLACE INTO summaries VALUES (?, ?, ?)",
                [(key, path, body) for path, body in summaries.items()],
            )
            if linked is not None:
                connection.execute("INSERT OR REPLACE INTO links VALUES (?, ?, ?)", (key, *linked))
            connection.execute("INSERT OR REPLACE INTO keys VALUES (?, ?)", (key, int(time.time())))
            old = int(time.time()) - _KEPT
            for table in ("results", "summaries", "links"):
                connection.execute(
                    f"DELETE FROM {table} WHERE key IN (SELECT key FROM keys WHERE used < ?)",  # noqa: S608
                    (old,),
                )
            connection.execute("DELETE FROM keys WHERE used < ?", (old,))

    def close(self) -> None:
        """Close the file. May be repeated."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _read(self, query: str, key: str) -> list[tuple[str, ...]]:
        if self._connection is None:
            return []
        try:
            return self._connection.execute(query, (key,)).fetchall()
        except sqlite3.Error:
            return []


def default_file(root: Path) -> Path:
    """Return the cache file of the project at `root`, in `$XDG_CACHE_HOME/plugport/lint/`, else in `~/.cache/…`."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - Path.home may raise
    return Path(base) / "plugport" / "lint" / f"{digest(str(root).encode())}.sqlite"


def _open(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(file)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        file.unlink(missing_ok=True)  # the file is damaged
        return _connect(file)


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=2)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
            connection.executescript(
                """
                DROP TABLE IF EXISTS results; DROP TABLE IF EXISTS summaries;
                DROP TABLE IF EXISTS links; DROP TABLE IF EXISTS keys;
                CREATE TABLE results (key, path, content, wanted, summary, linked, findings, reads,
                                      PRIMARY KEY (key, path)) WITHOUT ROWID;
                CREATE TABLE summaries (key, path, body, PRIMARY KEY (key, path)) WITHOUT ROWID;
                CREATE TABLE links (key PRIMARY KEY, project, facts) WITHOUT ROWID;
                CREATE TABLE keys (key PRIMARY KEY, used) WITHOUT ROWID;
                """
            )
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
            connection.commit()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
