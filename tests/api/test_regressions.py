"""The faults of the production system that this grew out of. None of them may happen here."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
from support.doubles import Lookup, MemoryBackend, PullingBackend, StubSource

from plugport.hookspecs import Resolved, RunState, Workspace, errors

SECRETS = (
    "API rate limit exceeded for 203.0.113.9",
    "x-github-request-id",
    "D00D:1234:BEEF",
    "auth_token",
    "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
    "/etc/passwd",
)
LOUD = " ".join(SECRETS)


def _slug(reply):
    return reply.json()["type"].rsplit(":", 1)[-1]


async def _register(admin, **fields):
    reply = await admin.post("/workspaces", json={"id": "w1", "org": "acme"} | fields)
    assert reply.status_code == 201, reply.text


@pytest.mark.parametrize("method", ["install", "uninstall"])
async def test_an_external_workspace_is_told_to_pull_before_anything_is_fetched(serve, method):
    source = StubSource(lambda destination: Resolved("never"))
    async with serve(source) as admin:
        await _register(admin, runtime="external")
        if method == "install":
            reply = await admin.post("/workspaces/w1/plugins", json={"source": "stub://greeter"})
        else:
            reply = await admin.delete("/workspaces/w1/plugins/greeter")
        assert (reply.status_code, _slug(reply)) == (422, "push-not-supported")
        hint = reply.json()["hint"]
        assert hint["endpoint"].startswith("/workspaces/w1/plugins/greeter/download")
        assert hint["command"].startswith("plugport pull greeter --workspace w1 --into ")
        assert source.asked == 0


async def test_a_backend_of_another_team_may_pull_too(serve):
    async with serve(PullingBackend()) as admin:
        await _register(admin, backend="pulling")
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "local://greeter"})
        assert (reply.status_code, _slug(reply)) == (422, "push-not-supported")


@pytest.mark.parametrize("runtime", ["claude-code", None])
async def test_a_container_backed_workspace_goes_on_whether_or_not_its_runtime_is_known(serve, add_plugin, runtime):
    add_plugin("greeter")
    docker = MemoryBackend("docker")
    async with serve(docker, providers_block="docker") as admin:
        await _register(admin, runtime=runtime)
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
        assert reply.status_code == 200, reply.text
        assert list(docker.plugins["w1"]) == ["greeter"]


async def test_a_lookup_that_fails_goes_on_as_container_backed(serve, add_plugin):
    add_plugin("greeter")
    docker, lookup = MemoryBackend("docker"), Lookup({"w1": RuntimeError(LOUD)})
    async with serve(docker, lookup, providers_block="docker") as admin:
        await _register(admin, runtime="external")
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
        assert reply.status_code == 200, reply.text


async def test_an_instance_is_an_ec2_workspace_whoever_knows_it(serve, add_plugin):
    add_plugin("greeter")
    ec2 = MemoryBackend("ec2")
    known = Workspace("tenant", org="acme", runtime="hermes", instance_id="i-0123456789abcdef0")
    async with serve(ec2, Lookup({"tenant": known}), providers_block="ec2") as admin:
        reply = await admin.post("/workspaces/tenant/plugins", json={"source": "greeter"})
        assert reply.status_code == 200, reply.text
        assert list(ec2.plugins["tenant"]) == ["greeter"]


async def test_unknown_and_stopped_are_never_one(serve, add_plugin, caplog):
    add_plugin("greeter")
    backend = MemoryBackend(state=RunState.unknown(f"daemon hung {LOUD}"))
    async with serve(backend) as admin:
        await _register(admin, backend="memory")
        with caplog.at_level(logging.INFO):
            reply = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
        assert (reply.status_code, _slug(reply)) == (503, "backend-unavailable")
        assert int(reply.headers["retry-after"]) > 0
        assert "daemon hung" in caplog.text
        assert (await admin.get("/workspaces/w1")).json()["state"] == "unknown"
        assert not any(secret in reply.text for secret in SECRETS)

        backend.state = RunState.STOPPED
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
        assert (reply.status_code, _slug(reply)) == (503, "workspace-not-running")
        assert "retry-after" not in reply.headers
        assert (await admin.get("/workspaces/w1")).json()["state"] == "stopped"


def _raise(error):
    def fetch(destination: Path) -> Resolved:
        (destination / "half").write_text("half")
        raise error

    return fetch


@pytest.mark.parametrize(
    ("source", "fetch", "status", "slug"),
    [
        ("", None, 400, "invalid-source"),
        ("   ", None, 400, "invalid-source"),
        ("local://", None, 400, "invalid-source"),
        ("Not A Scheme://x", None, 400, "invalid-source"),
        ("stub://a\nb", None, 400, "invalid-source"),
        ("gopher://x", None, 400, "unknown-scheme"),
        ("local://../../etc/passwd", None, 400, "invalid-source"),
        ("local://missing", None, 404, "plugin-not-found"),
        ("github://owner/repository", None, 422, "unpinned-source"),
        ("github://owner/repository#--upload-pack=x", None, 400, "invalid-source"),
        ("stub://x", _raise(RuntimeError(LOUD)), 502, "source-unavailable"),
        ("stub://x", _raise(SystemExit(LOUD)), 502, "source-unavailable"),
        ("stub://x", _raise(errors.SourceUnavailable(LOUD)), 502, "source-unavailable"),
        ("stub://x", _raise(errors.PluginNotFound(LOUD)), 404, "plugin-not-found"),
        ("stub://x", _raise(errors.SourceTimeout(LOUD)), 504, "source-timeout"),
        ("stub://x", _raise(errors.Internal(LOUD)), 502, "source-unavailable"),
        ("stub://x", lambda destination: "a lie", 502, "source-unavailable"),
    ],
)
async def test_no_error_path_of_the_pipeline_shows_the_resolvers_text(
    serve, source, fetch, status, slug, caplog, tmp_path
):
    providers: list[object] = [MemoryBackend()]
    if fetch:
        providers.append(StubSource(fetch))
    async with serve(*providers) as admin:
        await _register(admin, backend="memory")
        caplog.set_level(logging.INFO)
        install = await admin.post("/workspaces/w1/plugins", json={"source": source})
        download = await admin.get("/workspaces/w1/plugins/x/download", params={"source": source})
        for reply in (install, download):
            assert (reply.status_code, _slug(reply)) == (status, slug), reply.text
            assert reply.headers["content-type"] == "application/problem+json"
            shown = reply.text + str(reply.headers)
            assert not any(secret in shown for secret in SECRETS if secret not in source)
        if slug in {"source-unavailable", "source-timeout"}:
            assert install.json()["detail"] == "failed to fetch plugin from stub"
        if operation := install.json().get("operation"):
            stored = (await admin.get(f"/operations/{operation}")).text
            events = (await admin.get(f"/operations/{operation}/events")).text
            assert not any(secret in stored + events for secret in SECRETS if secret not in source)
        if fetch and "lie" not in str(fetch(tmp_path) if fetch.__name__ == "<lambda>" else ""):
            logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
            assert all(secret in logged for secret in SECRETS)
        assert os.listdir(tmp_path / "data" / "work") == []


@pytest.mark.parametrize("hook", ["is_running", "deliver", "list_installed", "uninstall"])
async def test_a_backend_that_raises_shows_nothing_of_it(serve, add_plugin, hook):
    add_plugin("greeter")
    backend = MemoryBackend()
    async with serve(backend) as admin:
        await _register(admin, backend="memory")
        assert (await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})).status_code == 200
    broken = type("Broken", (MemoryBackend,), {hook: _raising(hook)})()
    async with serve(broken) as admin:
        replies = [
            await admin.get("/workspaces/w1"),
            await admin.get("/workspaces/w1/plugins"),
            await admin.post("/workspaces/w1/plugins", json={"source": "greeter"}),
            await admin.delete("/workspaces/w1/plugins/greeter"),
            await admin.get("/operations"),
            await admin.get("/metrics"),
        ]
        for reply in replies:
            assert not any(secret in reply.text + str(reply.headers) for secret in SECRETS)
        assert any(reply.status_code >= 500 or "unknown" in reply.text for reply in replies)


def _raising(hook):
    from plugport.hookspecs import hookimpl

    def broken(self, workspace):
        raise RuntimeError(LOUD)

    broken.__name__ = hook
    return hookimpl(broken)


async def test_the_allowlist_is_asked_on_install_and_on_download(serve, add_plugin):
    add_plugin("good")
    add_plugin("bad")
    async with serve(MemoryBackend()) as admin:
        await _register(admin, backend="memory")
        assert (await admin.get("/orgs/acme/plugins/allowlist")).json() == {"org": "acme", "plugins": None}
        put = await admin.put("/orgs/acme/plugins/allowlist", json={"plugins": ["good"]})
        assert put.status_code == 200
        for name, status in (("good", 200), ("bad", 403)):
            install = await admin.post("/workspaces/w1/plugins", json={"source": name})
            download = await admin.get(f"/workspaces/w1/plugins/{name}/download")
            assert (install.status_code, download.status_code) == (status, status)
        assert _slug(install) == "plugin-not-allowed"
        await admin.put("/orgs/acme/plugins/allowlist", json=[])
        assert (await admin.post("/workspaces/w1/plugins", json={"source": "good"})).status_code == 403


async def test_the_allowlist_is_closed_when_it_cannot_be_read(serve, add_plugin, monkeypatch):
    from plugport.core.store.allowlists import Allowlists

    async def fails(self, org):
        raise OSError(LOUD)

    add_plugin("good")
    async with serve(MemoryBackend()) as admin:
        await _register(admin, backend="memory")
        monkeypatch.setattr(Allowlists, "get", fails)
        for reply in (
            await admin.post("/workspaces/w1/plugins", json={"source": "good"}),
            await admin.get("/workspaces/w1/plugins/good/download"),
        ):
            assert (reply.status_code, _slug(reply)) == (503, "policy-unavailable")
            assert not any(secret in reply.text for secret in SECRETS)


async def test_a_workspace_without_a_known_org_is_refused(serve, add_plugin):
    add_plugin("good")
    async with serve(MemoryBackend()) as admin:
        await _register(admin, backend="memory", org=None)
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "good"})
        assert (reply.status_code, _slug(reply)) == (503, "policy-unavailable")


async def test_a_receipt_that_was_not_read_back_is_no_success(serve, add_plugin):
    from plugport.hookspecs import Receipt, hookimpl

    class Liar(MemoryBackend):
        @hookimpl
        def deliver(self, workspace, bundle):
            return Receipt("sha256:" + "0" * 64)

    add_plugin("good")
    async with serve(Liar()) as admin:
        await _register(admin, backend="memory")
        reply = await admin.post("/workspaces/w1/plugins", json={"source": "good"})
        assert (reply.status_code, _slug(reply)) == (502, "delivery-failed")
        assert json.loads((await admin.get("/workspaces/w1/plugins")).text) == []
