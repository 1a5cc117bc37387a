"""Operations that the first release stored are read, run and found again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping

from support.doubles import MemoryBackend

KEY = {"Idempotency-Key": "k1"}


def _row(identity: str, kind: str, plugin: str | None, request: Mapping[str, object], key: str | None = None) -> dict:
    """The columns that the first release filled when it accepted an operation."""
    fingerprint = hashlib.sha256(json.dumps([kind, plugin, request], sort_keys=True).encode()).hexdigest()
    return {
        "id": identity,
        "kind": kind,
        "workspace": "w1",
        "actor": "admin",
        "request_id": "r1",
        "request": json.dumps(request),
        "idempotency_key": key,
        "fingerprint": fingerprint,
        "plugin": plugin,
        "source": request.get("source"),
        "status": "queued",
        "phase": "queued",
        "attempts": 0,
        "created_at": 1_790_000_000.0,
    }


def _insert(path: str, row: dict) -> None:
    with sqlite3.connect(path) as connection:
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO operations ({columns}) VALUES ({marks})", tuple(row.values()))
    connection.close()


async def test_they_are_run_and_their_idempotency_keys_hold(serve, add_plugin, tmp_path):
    add_plugin("greeter")
    backend = MemoryBackend()
    async with serve(backend) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
    request = {"source": "local://greeter", "digest": None, "sha256": None, "restart": True}
    _insert(tmp_path / "data/plugport.sqlite3", _row("first", "install", None, request, "k1"))
    async with serve(backend) as admin:
        await admin.get("/operations/first/events")
        operation = (await admin.get("/operations/first")).json()
        assert (operation["status"], operation["plugin"]) == ("succeeded", "greeter")
        again = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"}, headers=KEY)
        assert (again.status_code, again.json()["operation"]) == (200, "first")
        assert len(backend.deliveries) == 1
        other = await admin.post("/workspaces/w1/plugins", json={"source": "other"}, headers=KEY)
        assert other.status_code == 409
    _insert(tmp_path / "data/plugport.sqlite3", _row("second", "uninstall", "greeter", {"restart": False}))
    async with serve(backend) as admin:
        await admin.get("/operations/second/events")
        operation = (await admin.get("/operations/second")).json()
        assert (operation["status"], operation["plugin"]) == ("succeeded", "greeter")
        assert backend.plugins["w1"] == {}
