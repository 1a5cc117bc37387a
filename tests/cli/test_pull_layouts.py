"""`plugport pull` under a native layout: the plugin is made active in this machine's agent, and goes again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.service import TOKEN, Service

from plugport.core.cli import main

SKILL = "---\nname: hello\ndescription: Says hello.\n---\nHello.\n"


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """The config dir of a Claude Code that has things of its own."""
    config = tmp_path / "home/.claude"
    (config / "skills/mine").mkdir(parents=True)
    (config / "skills/mine/SKILL.md").write_text("mine")
    (config / "plugins").mkdir()
    return config


@pytest.fixture
def service(tmp_path: Path):
    (tmp_path / "service").mkdir()
    running = Service(tmp_path / "service")
    try:
        plugin = running.folder / "plugins/demo"
        (plugin / "skills/hello").mkdir(parents=True)
        (plugin / "rules").mkdir()
        (plugin / "plugin.yaml").write_text("name: demo\nversion: 1\n")
        (plugin / "skills/hello/SKILL.md").write_text(SKILL)
        (plugin / "rules/style.md").write_text("Be brief.\n")
        body = {"id": "far", "org": "acme", "runtime": "claude-code", "backend": "external", "layout": "claude-code"}
        running.client.post("/workspaces", json=body).raise_for_status()
        yield running
    finally:
        running.stop()


def snapshot(folder: Path) -> dict[str, object]:
    """Every file with its bytes, every link with its text, every folder."""
    return {
        str(path.relative_to(folder)): path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
    }


def test_a_plugin_is_laid_out_here_as_the_workspace_says_and_goes_again(service, agent, monkeypatch, capsys):
    monkeypatch.setenv("PLUGPORT_URL", service.url)
    monkeypatch.setenv("PLUGPORT_TOKEN", TOKEN)
    before = snapshot(agent)
    command = ["pull", "demo", "--workspace", "far", "--into", str(agent / "plugins"), "--home", str(agent.parent)]
    for _ in range(2):
        assert main([*command, "--json"]) == 0
        result = json.loads(capsys.readouterr().out)
        assert (result["layout"], result["left"]) == ("claude-code", [])
        assert result["seen"] in {"yes", "no", "unknown"}
        assert (agent / "skills/demo/skills/hello/SKILL.md").read_text() == SKILL
    assert main([*command, "--remove"]) == 0
    assert snapshot(agent) == before
    assert main([*command, "--remove"]) == 1
    assert "was not pulled" in capsys.readouterr().err


def test_what_is_wrong_with_the_plugin_is_said_as_an_install_says_it(service, agent, monkeypatch, capsys):
    monkeypatch.setenv("PLUGPORT_URL", service.url)
    monkeypatch.setenv("PLUGPORT_TOKEN", TOKEN)
    plugin = service.folder / "plugins/demo"
    (plugin / "plugin.yaml").unlink()
    (plugin / ".claude-plugin").mkdir()
    (plugin / ".claude-plugin/plugin.json").write_text(json.dumps({"name": "My Demo"}))
    (plugin / "skills/hello/SKILL.md").write_bytes(b"\xef\xbb\xbf" + SKILL.encode())
    command = ["pull", "demo", "--workspace", "far", "--into", str(agent / "plugins"), "--home", str(agent.parent)]
    assert main([*command, "--json"]) == 0
    rules = {finding["rule"] for finding in json.loads(capsys.readouterr().out)["warnings"]}
    assert {"name-differs", "bom"} <= rules, rules
    assert main(command) == 0
    assert "skills/hello/SKILL.md" in capsys.readouterr().out


def test_a_plugin_by_which_the_agent_does_not_start_is_removed_again(service, agent, monkeypatch, capsys):
    monkeypatch.setenv("PLUGPORT_URL", service.url)
    monkeypatch.setenv("PLUGPORT_TOKEN", TOKEN)
    programs = agent.parent / "bin"
    programs.mkdir()
    (programs / "claude").write_text("#!/bin/sh\necho the configuration is invalid >&2\nexit 1\n")
    (programs / "claude").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    before = snapshot(agent)
    command = ["pull", "demo", "--workspace", "far", "--into", str(agent / "plugins"), "--home", str(agent.parent)]
    assert main(command) == 1
    printed = capsys.readouterr().err
    assert "the agent does not start with it, so it was removed again" in printed
    assert "is still there" not in printed
    assert snapshot(agent) == before


def test_the_folder_must_be_the_agents_own(service, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PLUGPORT_URL", service.url)
    monkeypatch.setenv("PLUGPORT_TOKEN", TOKEN)
    assert main(["pull", "demo", "--workspace", "far", "--into", str(tmp_path / "elsewhere")]) == 1
    assert "needs --into <the agent's config dir>/plugins" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere/demo").exists()
