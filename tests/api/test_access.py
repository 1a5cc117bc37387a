"""Who may do what: everything fails closed."""

from __future__ import annotations

import pytest
from support.doubles import MemoryBackend

from plugport.core.app import ENDPOINTS
from plugport.core.auth import Access


async def _token(admin, path):
    reply = await admin.post(path)
    assert reply.status_code == 201
    return {"Authorization": f"Bearer {reply.json()['token']}"}


def _path(endpoint, identity="w1"):
    return endpoint.path.replace("{id}", identity).replace("{name}", "greeter")


LOCKED = [endpoint for endpoint in ENDPOINTS if endpoint.access is not Access.ANYONE]


@pytest.mark.parametrize("endpoint", LOCKED, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
async def test_every_locked_route_wants_a_valid_token(serve, endpoint):
    async with serve(MemoryBackend()) as admin:
        for header in ("", "Bearer", "Bearer wrong", "Basic YWRtaW46YWRtaW4=", "Bearer \u00e9"):
            headers = {"Authorization": header.encode("latin-1")}
            reply = await admin.request(endpoint.method, _path(endpoint), headers=headers)
            assert reply.status_code == 401
            assert reply.json()["type"].endswith("unauthenticated")
            assert reply.headers["www-authenticate"].startswith("Bearer")


async def test_a_workspaces_token_opens_that_workspace_alone(serve, add_plugin):
    add_plugin("greeter")
    async with serve(MemoryBackend()) as admin:
        for identity in ("w1", "w2"):
            await admin.post("/workspaces", json={"id": identity, "org": "acme", "backend": "memory"})
        own = await _token(admin, "/workspaces/w1/tokens")
        installed = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"}, headers=own)
        assert installed.status_code == 200
        other = (await admin.post("/workspaces/w2/plugins", json={"source": "greeter"})).json()["operation"]
        for endpoint in LOCKED:
            if endpoint.access is Access.ANY_TOKEN:
                continue
            reply = await admin.request(endpoint.method, _path(endpoint, "w2"), headers=own)
            assert reply.status_code == 403, endpoint.path
        assert (await admin.get(f"/operations/{other}", headers=own)).status_code == 404
        assert (await admin.get(f"/operations/{other}/events", headers=own)).status_code == 404
        assert (await admin.get("/operations?workspace=w2", headers=own)).status_code == 403
        seen = (await admin.get("/operations", headers=own)).json()["items"]
        assert {operation["workspace"] for operation in seen} == {"w1"}


async def test_an_orgs_token_opens_that_orgs_allowlist_alone(serve):
    async with serve(MemoryBackend()) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        own = await _token(admin, "/orgs/acme/tokens")
        assert (await admin.get("/orgs/acme/plugins/allowlist", headers=own)).status_code == 200
        assert (await admin.get("/orgs/other/plugins/allowlist", headers=own)).status_code == 403
        assert (await admin.get("/workspaces/w1/plugins", headers=own)).status_code == 403
        assert (await admin.get("/providers", headers=own)).status_code == 403
        assert (await admin.get("/operations", headers=own)).status_code == 403


async def test_tokens_are_kept_as_hashes(serve, tmp_path):
    async with serve(MemoryBackend()) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        token = (await admin.post("/workspaces/w1/tokens")).json()["token"]
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert token.encode() not in stored


async def test_a_forgotten_workspaces_token_opens_nothing(serve):
    async with serve(MemoryBackend()) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        own = await _token(admin, "/workspaces/w1/tokens")
        await admin.delete("/workspaces/w1")
        assert (await admin.get("/workspaces/w1/plugins", headers=own)).status_code == 401


async def test_too_many_requests_are_told_when_to_come_back(serve):
    async with serve(MemoryBackend(), rate_limit=5) as admin:
        replies = [await admin.get("/workspaces") for _ in range(7)]
        assert [reply.status_code for reply in replies] == [200] * 5 + [429] * 2
        assert int(replies[-1].headers["retry-after"]) >= 1


async def test_a_database_that_fails_opens_nothing(serve, monkeypatch):
    from plugport.core.store.tokens import Tokens

    async def fails(self, token):
        raise OSError("the database is away: /var/lib/secret")

    async with serve(MemoryBackend()) as admin:
        monkeypatch.setattr(Tokens, "principal", fails)
        reply = await admin.get("/workspaces/w1/plugins", headers={"Authorization": "Bearer some-token"})
        assert reply.status_code == 500
        assert "secret" not in reply.text
