"""Each layout, proved by the agent itself: it sees every part of a plugin, and nothing of it after the uninstall."""

from __future__ import annotations

import pytest
from support.agents.drivers import Agent
from support.agents.runs import record
from support.agents.sample import FIRST, SECOND, kinds, marks, plugin
from support.agents.snapshots import own_changes, snapshot, unexplained

from plugport.builtin_backends.layouts.tables import RUNTIMES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
TABLES = {runtime.name: runtime for runtime in RUNTIMES}


TRUSTED = {"codex", "hermes"}
"""The agents that run a hook only once it is trusted."""


def expected(agent: Agent, version: str) -> set[str]:
    """The marks of the parts that the tables say the runtime can use."""
    usable = {kind.value for kind in TABLES[agent.name].places}
    return {mark for mark in marks(version) if kinds({mark}) <= usable}


def test_the_agent_sees_every_part_then_the_update_then_nothing_and_the_home_is_as_before(agent, base, delivered):
    control = base / "control"
    (control / "home").mkdir(parents=True)
    for folder in (base, control):
        agent.write_settings(folder)
        (folder / "home" / agent.folder / "plugins").mkdir(exist_ok=True)
    before = snapshot(base / "home")
    control_before = snapshot(control / "home")
    assert not agent.see(control, once=agent.name != "opencode").marks
    grants = ["hooks"] if agent.name in TRUSTED else []

    reply = delivered.install(base, plugin("claude", base / "seen"), grant=grants)
    assert (reply["seen"], reply["left"]) == ("yes", []), reply
    first = agent.see(base)
    assert first.marks == expected(agent, FIRST), first.text[-3000:]

    reply = delivered.install(base, plugin("claude", base / "seen", SECOND), grant=grants)
    assert (reply["seen"], reply["left"]) == ("yes", []), reply
    second = agent.see(base)
    assert second.marks == expected(agent, SECOND), second.text[-3000:]

    assert delivered.uninstall(base)["left"] == []
    assert not agent.see(base).marks
    after, own = snapshot(base / "home"), snapshot(control / "home")
    assert not unexplained(before, after, own_changes(control_before, own))
    for path in agent.settings:
        assert after.get(path) in {before.get(path), own.get(path)} or path in agent.state, path
    record(agent.name, TABLES[agent.name].version, lifecycle=True)


@pytest.mark.only_agents(*TRUSTED)
def test_a_hook_that_must_be_trusted_runs_once_it_is_granted(agent, base, delivered):
    agent.write_settings(base)
    reply = delivered.install(base, plugin("claude", base / "seen"))
    assert [grant["name"] for grant in reply["needs_grant"]] == ["hooks"]
    assert "hook" not in kinds(agent.see(base).marks)
    reply = delivered.install(base, plugin("claude", base / "seen"), grant=["hooks"])
    assert reply["needs_grant"] == []
    assert "hook" in kinds(agent.see(base).marks)
