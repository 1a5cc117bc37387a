"""An activation that keeps an agent from starting is taken back: the agent itself says that it does not start."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from support.agents.drivers import Agent
from support.agents.installs import agent_program, node_folder
from support.agents.sample import plugin
from support.agents.snapshots import own_changes, snapshot, unexplained
from support.layouts import target

from plugport.builtin_backends.layouts import codex, gemini_cli, opencode
from plugport.hookspecs import Activation, Contents, FileSyntax, Link, SettingsEntry, hookimpl

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def with_a_second_extension(activation: Activation) -> Activation:
    again = [Link(f"{link.path}-again", link.target) for link in activation.links if "extensions/" in link.path]
    return dataclasses.replace(activation, links=(*activation.links, *again))


def with_a_wrong_key(activation: Activation) -> Activation:
    wrong = SettingsEntry("config.toml", FileSyntax.TOML, ("plugins", "wrong@plugport", "enabled"), "perhaps")
    return dataclasses.replace(activation, entries=(*activation.entries, wrong))


def with_a_server_that_it_does_not_know(activation: Activation) -> Activation:
    wrong = SettingsEntry("opencode.json", FileSyntax.JSONC, ("mcp", "wrong"), {"type": "local"})
    return dataclasses.replace(activation, entries=(*activation.entries, wrong))


FAULTS: Mapping[str, tuple[Any, Callable[[Activation], Activation], str]] = {
    "gemini-cli": (gemini_cli, with_a_second_extension, "already was loaded"),
    "codex": (codex, with_a_wrong_key, "expected a boolean"),
    "opencode": (opencode, with_a_server_that_it_does_not_know, "Configuration is invalid"),
}
"""By the agent: its layout, what is wrong with what the layout asks for, and what the agent says then."""


STARTS = {
    name: list(module.provider.lay_out(Contents("plugport", "demo"), target(name)).question.command[1:])
    for name, (module, _, _) in FAULTS.items()
}
"""The arguments of each agent that ask it what it sees: it ends with 0 if it starts."""


class FaultyLayout:
    """Asks for what the real layout asks for, and for something by which the agent does not start."""

    layouts = ("faulty",)

    def __init__(self, agent: Agent) -> None:
        module, self._fault, _ = FAULTS[agent.name]
        self._layout = module.provider
        self.events: list[str] = []

    @hookimpl
    def observe(self, event):
        self.events.append(event.kind)

    @hookimpl
    def lay_out(self, contents, target):
        return self._fault(self._layout.lay_out(contents, target))


@pytest.mark.only_agents(*FAULTS)
async def test_the_agent_starts_again_and_its_home_is_as_before(agent, base, serve, add_plugin, monkeypatch):
    control = base / "control"
    (control / "home").mkdir(parents=True)
    for folder in (base, control):
        agent.write_settings(folder)
        (folder / "home" / agent.folder / "plugins").mkdir(exist_ok=True)
    before, control_before = snapshot(base / "home"), snapshot(control / "home")
    agent.call(control, STARTS[agent.name])
    own = own_changes(control_before, snapshot(control / "home"))
    add_plugin("demo", dict(plugin("claude", base / "seen")))
    programs = [str(agent_program(agent.name).parent), str(node_folder()), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(programs))
    layout = FaultyLayout(agent)
    async with serve(layout, ask_seconds=60) as admin:
        options = {"path": str(base / "home" / agent.folder), "home": str(base / "home")}
        body = {"id": "w1", "org": "acme", "backend": "host", "layout": "faulty", "options": options}
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        wanted = {"source": "demo", "restart": False}
        reply = await admin.post("/workspaces/w1/plugins", json=wanted)
        assert (reply.status_code, reply.json()["seen"]) == (200, "no"), reply.text
        assert FAULTS[agent.name][2] in reply.json()["complaint"], reply.text
        left = unexplained(before, snapshot(base / "home"), own)
        assert all(path.startswith(f"{agent.folder}/plugins/") for path in left), left
        gone = await admin.delete("/workspaces/w1/plugins/demo?restart=false")
        assert (gone.status_code, gone.json()["left"]) == (200, [])

        reply = await admin.post("/workspaces/w1/plugins", json=wanted | {"require_seen": True})
        assert reply.status_code == 422, reply.text
        assert reply.json()["detail"].endswith(" is not seen by the agent.")
    assert layout.events.count("plugin.taken-back") == 2
    assert agent.call(base, STARTS[agent.name]).returncode == 0
    assert not unexplained(before, snapshot(base / "home"), own)
    for path in agent.settings:
        assert snapshot(base / "home").get(path) == before.get(path) or path in agent.state


@pytest.mark.only_agents("gemini-cli")
def test_gemini_cli_starts_with_no_second_extension_of_a_name_and_an_install_refuses_it(agent, base, delivered):
    extensions = base / "home/.gemini/extensions"
    (extensions / "theirs").mkdir(parents=True)
    (extensions / "theirs/gemini-extension.json").write_text(json.dumps({"name": "demo", "version": "1.0.0"}))
    assert agent.call(base, ["extensions", "list"]).returncode == 0
    before = snapshot(base / "home")
    with pytest.raises(AssertionError, match="activation-impossible") as refused:
        delivered.install(base, plugin("claude", base / "seen"))
    assert "extensions/theirs" in str(refused.value)
    after = snapshot(base / "home")
    assert {path for path in after if after[path] != before.get(path)} <= {".gemini/plugins"}
    (extensions / "demo").mkdir()
    (extensions / "demo/gemini-extension.json").write_text(json.dumps({"name": "demo", "version": "2.0.0"}))
    done = agent.call(base, ["extensions", "list"])
    assert (done.returncode, "already was loaded" in done.stdout + done.stderr) == (1, True)
