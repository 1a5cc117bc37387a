"""Bad input gets a typed problem that says what to do, and changes nothing."""

from __future__ import annotations

import pytest
from support.doubles import MemoryBackend


def _slug(reply):
    return reply.json()["type"].rsplit(":", 1)[-1]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"{}", "body.source"),
        (b'{"source": 7}', "body.source"),
        (b'{"source": "x", "digest": "md5:1"}', "body.digest"),
        (b'{"source": "x", "sha256": "short"}', "body.sha256"),
        (b'{"source": "x", "restart": "maybe"}', "body.restart"),
        (b'{"source": "x", "sorce": "y"}', "body.sorce"),
        (b'{"source": "\\ud800"}', "body"),
        (b"\xff\xfe", "body"),
    ],
)
async def test_a_body_is_refused_with_the_field_named(serve, body, where):
    async with serve(MemoryBackend()) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        reply = await admin.post("/workspaces/w1/plugins", content=body, headers={"Content-Type": "application/json"})
        assert (reply.status_code, _slug(reply)) == (400, "invalid-request")
        assert any(problem["where"] == where for problem in reply.json()["errors"]), reply.text
        assert (await admin.get("/operations")).json()["items"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ""},
        {"id": "../x"},
        {"id": "a/b"},
        {"id": "x" * 129},
        {"id": ".hidden"},
        {"id": "ok", "org": "a b"},
        {"id": "ok", "runtime": ""},
        {"id": "ok", "backend": "Docker!"},
        {"id": "ok", "options": {"path": "a\x00b"}},
        {"id": "ok", "options": []},
        {"id": "ok", "unknown": 1},
        {"id": "ok\n"},
    ],
)
async def test_a_workspace_is_refused_with_the_field_named(serve, fields):
    async with serve(MemoryBackend()) as admin:
        reply = await admin.post("/workspaces", json=fields)
        assert (reply.status_code, _slug(reply)) == (400, "invalid-request")
        assert reply.json()["errors"]
        assert (await admin.get("/workspaces")).json()["items"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/workspaces?limit=0", 400),
        ("/workspaces?limit=x", 400),
        ("/workspaces?limit=1&limit=2", 400),
        ("/operations?cursor=abc", 400),
        ("/workspaces/w1/plugins/compatibility", 400),
        ("/nowhere", 404),
        ("/workspaces/w1/", 404),
        ("/workspaces/absent/plugins", 404),
        ("/operations/absent", 404),
        ("/orgs/a%20b/plugins/allowlist", 400),
    ],
)
async def test_a_path_or_parameter_is_refused(serve, path, status):
    async with serve(MemoryBackend()) as admin:
        reply = await admin.get(path)
        assert reply.status_code == status
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["request_id"] == reply.headers["x-request-id"]


async def test_a_wrong_method_names_the_right_ones(serve):
    async with serve(MemoryBackend()) as admin:
        reply = await admin.put("/workspaces")
        assert reply.status_code == 405
        assert "POST" in reply.headers["allow"]


async def test_a_large_body_is_refused(serve):
    async with serve(MemoryBackend()) as admin:
        reply = await admin.post("/workspaces", content=b"x" * 70_000)
        assert (reply.status_code, _slug(reply), reply.json()["limit"]) == (413, "request-too-large", 65536)

        async def chunks():
            for _ in range(80):
                yield b"x" * 1000

        reply = await admin.post("/workspaces", content=chunks())
        assert (reply.status_code, _slug(reply)) == (413, "request-too-large")


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_an_idempotency_key_has_a_form(serve, key):
    async with serve(MemoryBackend()) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "x"}, headers={"Idempotency-Key": key})
        assert (reply.status_code, reply.json()["errors"][0]["where"]) == (400, "header.idempotency-key")


@pytest.mark.parametrize("name", ["..", ".hidden", "-dash", "a b", "x" * 129])
async def test_a_hostile_plugin_name_is_refused(serve, name):
    async with serve(MemoryBackend()) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        path = name.replace("..", "%2e%2e")
        for reply in (
            await admin.delete(f"/workspaces/w1/plugins/{path}"),
            await admin.get(f"/workspaces/w1/plugins/{path}/download"),
        ):
            assert reply.status_code in {400, 404}
            assert reply.headers["content-type"] == "application/problem+json"


async def test_a_request_id_is_taken_over_or_made(serve):
    async with serve(MemoryBackend()) as admin:
        repeated = await admin.get("/livez", headers={"X-Request-ID": "abc.1"})
        assert repeated.headers["x-request-id"] == "abc.1"
        made = await admin.get("/livez", headers={"X-Request-ID": "bad id\u00e9".encode("latin-1")})
        assert len(made.headers["x-request-id"]) == 32
