"""The command line, against a real service in a process of its own."""

from __future__ import annotations

import json
import os
import signal

import pytest
from support.service import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    plugin = folder / "plugins" / "greeter"
    (plugin / "rules").mkdir(parents=True)
    (plugin / "plugin.yaml").write_text("name: greeter\nversion: 1.2.3\n")
    (plugin / "rules" / "a.md").write_text("Be kind.")
    (folder / "agent").mkdir()
    running = Service(folder)
    yield running
    assert running.stop() in {0, -signal.SIGTERM}


def test_the_main_job_from_the_command_line(service):
    option = f"path={service.folder / 'agent'}"
    added = service.run("workspaces", "add", "w1", "--org", "acme", "--backend", "host", "--option", option)
    assert added.returncode == 0, added.stderr
    installed = service.json("install", "greeter", "--workspace", "w1")
    assert installed["status"] == "installed"
    assert [plugin["name"] for plugin in service.json("list", "--workspace", "w1")] == ["greeter"]
    assert "greeter  1.2.3" in service.run("list", "--workspace", "w1").stdout
    assert service.json("operations", installed["operation"])["status"] == "succeeded"
    assert service.json("operations", "--workspace", "w1")["items"][0]["id"] == installed["operation"]
    accepted = service.json("install", "greeter", "--workspace", "w1", "--no-wait")
    followed = service.run("operations", accepted["id"], "--follow").stdout.splitlines()
    assert followed[-1] == "succeeded: done"
    assert service.json("uninstall", "greeter", "--workspace", "w1")["status"] == "uninstalled"
    assert service.json("workspaces", "show", "w1")["state"] == "running"
    assert service.json("workspaces", "list")[0]["id"] == "w1"


def test_a_refusal_is_told_with_its_request_id_and_exit_1(service):
    completed = service.run("install", "greeter", "--workspace", "absent")
    assert completed.returncode == 1
    assert "Workspace not found" in completed.stderr
    assert "request id: " in completed.stderr


def test_an_external_agent_pulls(service, tmp_path):
    service.run("workspaces", "add", "ext", "--org", "acme", "--runtime", "external")
    refused = service.run("install", "greeter", "--workspace", "ext")
    assert refused.returncode == 1
    assert "plugport pull greeter --workspace ext" in refused.stderr
    token = service.json("workspaces", "token", "ext")["token"]
    for _ in range(2):
        completed = service.run(
            "pull", "greeter", "--workspace", "ext", "--into", str(tmp_path), PLUGPORT_TOKEN=token
        )
        assert completed.returncode == 0, completed.stderr
        assert (tmp_path / "greeter/rules/a.md").read_text() == "Be kind."
        assert os.listdir(tmp_path) == ["greeter"]
    (tmp_path / "greeter/rules/a.md").write_text("Mine.")
    command = ("pull", "greeter", "--workspace", "ext", "--into", str(tmp_path))
    completed = service.run(*command, PLUGPORT_TOKEN=token)
    assert "left, since somebody edited it: greeter/rules/a.md" in completed.stdout
    place = completed.stdout.partition("set aside in: ")[2].splitlines()[0]
    assert (tmp_path / place / "rules/a.md").read_text() == "Mine."
    (listed,) = service.json("list", "--workspace", "ext")
    assert (listed["verified"], listed["drift"]) == (False, "unknown")
    (tmp_path / "greeter/rules/a.md").write_text("kept")
    wrong = service.run("pull", "greeter", "--workspace", "w1", "--into", str(tmp_path), PLUGPORT_TOKEN=token)
    assert wrong.returncode == 1
    assert (tmp_path / "greeter/rules/a.md").read_text() == "kept"


def test_a_service_that_does_not_answer_is_exit_3(service):
    completed = service.run("list", "--workspace", "w1", PLUGPORT_URL="http://127.0.0.1:9")
    assert completed.returncode == 3
    assert "PLUGPORT_URL" in completed.stderr


def test_a_bad_setting_is_exit_2_and_named(service):
    completed = service.run("serve", PLUGPORT_PORT="many")
    assert completed.returncode == 2
    assert "port" in completed.stderr.lower()


def test_providers_are_shown_with_their_distribution(service):
    providers = {provider["name"]: provider for provider in service.json("providers")}
    assert providers["local"]["schemes"] == ["local"]
    assert providers["host"]["distribution"] == "plugport"
    blocked = json.loads(service.run("providers", "--json", PLUGPORT_PROVIDERS_BLOCK="github").stdout)
    assert {provider["name"]: provider["status"] for provider in blocked}["github"] == "blocked"


def test_help_and_version_answer(service):
    assert "install" in service.run("--help").stdout
    assert service.run("--version").stdout.startswith("plugport ")
    assert service.run().returncode == 2
