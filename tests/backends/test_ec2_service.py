"""The whole service with workspaces on an EC2 instance: one HTTP call, and the plugin is there."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from plugport.hookspecs import Workspace, hookimpl


class Elsewhere:
    """A team's own register: the instance's id comes from there, and no row is written here."""

    def __init__(self, instance: str) -> None:
        self.instance = instance

    @hookimpl
    def lookup_workspace(self, workspace_id: str) -> Workspace | None:
        return Workspace(workspace_id, "acme", "claude-code", instance_id=self.instance)


class Nowhere:
    """A register that knows nobody."""

    @hookimpl
    def lookup_workspace(self, workspace_id: str) -> Workspace | None:
        return None


@pytest.fixture
def service(ec2, serve, monkeypatch):
    """Runs the service, with the provider as it is found by its entry point: `async with service() as admin:`."""
    monkeypatch.setenv("PLUGPORT_EC2_OS_USER", ec2.host.user)
    monkeypatch.setenv("PLUGPORT_EC2_TUNNEL_CONNECT", f"127.0.0.1:{ec2.endpoint.port}")
    return lambda *providers: serve(*(providers or (Elsewhere(ec2.instance),)))


async def test_a_plugin_is_installed_listed_and_taken_away(ec2, service, add_plugin):
    add_plugin("greeter", {"skills/hi/SKILL.md": "hi"})
    async with service() as admin:
        state = await admin.get("/workspaces/w1")
        assert (state.json()["backend"], state.json()["state"]) == ("ec2", "running")
        installed = await admin.post("/workspaces/w1/plugins", json={"source": "greeter", "restart": False})
        assert installed.status_code == 200, installed.text
        listed = (await admin.get("/workspaces/w1/plugins")).json()
        assert [(plugin["name"], plugin["digest"], plugin["drift"]) for plugin in listed] == [
            ("greeter", installed.json()["digest"], "none")
        ]
        assert ec2.host.shell("cat /configs/plugins/greeter/skills/hi/SKILL.md") == "hi"
        gone = await admin.delete("/workspaces/w1/plugins/greeter")
        assert (gone.status_code, gone.json()["restarted"]) == (200, False)
    assert ec2.host.shell("ls -A /configs/plugins") == ""


async def test_a_row_with_an_instance_and_a_restart_command_of_its_own(ec2, service, add_plugin):
    add_plugin("greeter")
    async with service(Nowhere()) as admin:
        row = {"id": "w2", "org": "acme", "runtime": "hermes", "instance_id": ec2.instance}
        options = {"restart": 'printf %s "$1" > /tmp/restarted'}
        assert (await admin.post("/workspaces", json=row | {"options": options})).status_code == 201
        installed = await admin.post("/workspaces/w2/plugins", json={"source": "greeter"})
        assert (installed.status_code, installed.json()["restarted"]) == (200, True)
    assert ec2.host.shell("cat /tmp/restarted; ls /home/ubuntu/.hermes/plugins") == "ws-w2greeter\n"


async def test_another_host_key_is_409_without_a_word_of_it_until_the_admin_forgets_the_old_one(
    ec2, service, add_plugin
):
    add_plugin("greeter")
    async with service() as admin:
        assert (await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})).status_code == 200
        await asyncio.to_thread(ec2.host.make_host_key)
        await asyncio.to_thread(ec2.host.start)
        for _ in range(2):
            refused = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
            assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "host-key-mismatch")
            assert "SHA256" not in refused.text
        assert (await admin.get("/workspaces/w1/plugins")).status_code == 409
        assert (await admin.delete("/workspaces/w1/host-key")).status_code == 204
        assert (await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})).status_code == 200


@pytest.mark.parametrize(("state", "status"), [("stopped", 503), ("running", 200)])
async def test_a_stopped_instance_is_refused_before_the_fetch(ec2, service, add_plugin, state, status):
    add_plugin("greeter")
    ec2.aws.states[ec2.instance] = state
    async with service() as admin:
        answer = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
    assert answer.status_code == status
    if status == 503:
        assert answer.json()["type"].endswith("workspace-not-running")
        assert "operation" not in answer.json()


async def test_what_aws_says_reaches_the_log_and_never_the_client(ec2, service, add_plugin, caplog):
    add_plugin("greeter")
    ec2.endpoint.refuse_status = 403
    async with service() as admin:
        answer = await admin.post("/workspaces/w1/plugins", json={"source": "greeter"})
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("backend-unavailable")
    assert "Retry-After" in answer.headers
    for secret in ("req-42", "no access", "eice-", "10.0", ec2.instance):
        assert secret not in answer.text
    assert "req-42" in caplog.text


def test_the_demo_includes_a_simulated_instance(session_ssh_host):
    command = [sys.executable, "-P", "-m", "plugport.core", "demo", "--ec2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "demo-ec2" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("demo: ok")
