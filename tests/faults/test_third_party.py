"""A provider from a separate wheel serves requests; made to misbehave, it leaks nothing and takes nothing down."""

from __future__ import annotations

import pytest
from support.service import Service
from support.third_party import SECRET, install_third_party

HOOKS = (
    "startup",
    "resolve_source",
    "preflight",
    "is_running",
    "deliver",
    "uninstall",
    "list_installed",
    "restart",
    "lookup_workspace",
    "check_policy",
    "observe",
)
CASES = [(hook, mode) for hook in HOOKS for mode in ("raise", "exit", "hang", "lie")]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    return install_third_party(tmp_path_factory.mktemp("guest"))


def _serve(folder, site, **environment):
    (folder / "plugins" / "greeter").mkdir(parents=True)
    (folder / "plugins" / "greeter" / "plugin.yaml").write_text("name: greeter\n")
    (folder / "agent").mkdir()
    log = str(folder / "seen")
    service = Service(folder, PYTHONPATH=str(site), THIRD_PARTY_LOG=log, PLUGPORT_HOOK_TIMEOUT="0.4", **environment)
    host = {"id": "ours", "org": "acme", "backend": "host", "options": {"path": str(folder / "agent")}}
    assert service.client.post("/workspaces", json=host).status_code == 201
    return service


def test_a_provider_from_a_separate_wheel_serves_requests(site, tmp_path):
    service = _serve(tmp_path, site, PLUGPORT_DELIVERY_TIMEOUT="30")
    try:
        provider = {provider["name"]: provider for provider in service.client.get("/providers").json()}["guest"]
        assert (provider["distribution"], provider["version"], provider["status"]) == ("guest", "2.5", "loaded")
        reply = service.client.post("/workspaces/theirs/plugins", json={"source": "guest://alpha"})
        assert reply.status_code == 200, reply.text
        listed = service.client.get("/workspaces/theirs/plugins").json()
        assert [(plugin["name"], plugin["version"]) for plugin in listed] == [("alpha", "3")]
        assert service.client.delete("/workspaces/theirs/plugins/alpha").status_code == 200
    finally:
        service.stop()
    assert (tmp_path / "seen").read_text().splitlines() == ["plugin.installed alpha", "plugin.uninstalled alpha"]


@pytest.mark.parametrize(("hook", "mode"), CASES)
def test_a_provider_that_misbehaves_leaks_nothing_and_takes_nothing_down(site, tmp_path, hook, mode):
    service = _serve(tmp_path, site, THIRD_PARTY_HOOK=hook, THIRD_PARTY_MODE=mode, PLUGPORT_DELIVERY_TIMEOUT="0.6")
    try:
        client = service.client
        replies = [
            client.post("/workspaces/theirs/plugins", json={"source": "guest://alpha"}),
            client.get("/workspaces/theirs/plugins"),
            client.get("/workspaces/theirs/plugins/alpha/download?source=guest://alpha"),
            client.get("/workspaces/theirs"),
            client.delete("/workspaces/theirs/plugins/alpha"),
            client.get("/operations"),
            client.get("/plugins"),
            client.get("/metrics"),
        ]
        for reply in replies:
            assert not any(word in reply.text + str(reply.headers) for word in SECRET.split()), reply.text
            assert reply.status_code != 500, reply.text
        ours = client.post("/workspaces/ours/plugins", json={"source": "greeter"})
        if hook == "check_policy":  # a policy that fails is a refusal, for everybody
            assert ours.json()["type"].endswith("policy-unavailable")
        else:
            assert ours.status_code == 200, ours.text
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 200
        if mode in {"raise", "exit"} and hook != "startup":
            logged = (tmp_path / "log").read_text()
            assert hook in logged
            assert "ghp_" in logged
    finally:
        service.kill()
