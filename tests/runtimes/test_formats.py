"""A plugin of each format in each agent: what the format can say and the runtime can use, the agent sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.agents.drivers import Agent, Codex
from support.agents.runs import ABSENT, SEEN, TRUSTED, UNSUPPORTED, record
from support.agents.sample import FIRST, FORMATS, PARTS, kinds, marks, plugin
from support.plugin_trees import read_first

from plugport.builtin_backends.layouts.tables import RUNTIMES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TABLES = {runtime.name: runtime for runtime in RUNTIMES}
GRANTED = {"codex", "hermes"}
"""The agents that run a hook only once it is trusted."""


def test_the_agent_sees_what_each_format_says(agent, base, delivered, tmp_path):
    results = {}
    for fmt in FORMATS:
        place = base / fmt
        (place / "home").mkdir(parents=True)
        results[fmt] = outcome(agent, place, delivered, fmt, tmp_path / fmt)
    missing = {(fmt, kind) for fmt, parts in results.items() for kind, word in parts.items() if word == "not seen"}
    assert not missing
    assert all(SEEN in parts.values() for parts in results.values()), results
    record(agent.name, TABLES[agent.name].version, formats=results)


def outcome(agent: Agent, place: Path, delivered, fmt: str, folder: Path) -> dict[str, str]:
    """What became of each kind of part of the plugin of a format."""
    agent.write_settings(place)
    files = plugin(fmt, place / "seen")
    contents = read_first(folder, files)
    assert contents.format == fmt
    grants = ["hooks"] if agent.name in GRANTED else []
    reply = delivered.install(place, files, grant=grants, ask=False)
    if isinstance(agent, Codex):
        assert agent.trust_of_hooks(place) <= {"trusted"}
    sight = agent.see(place)
    assert sight.marks <= marks(FIRST)
    there, seen = {component.kind.value for component in contents.components}, kinds(sight.marks)
    cannot = {entry["component"].partition(" ")[0] for entry in reply["unsupported"]}
    assert not seen & cannot
    words = {}
    for kind in dict.fromkeys(PARTS.values()):
        if kind in seen:
            words[kind] = TRUSTED if kind == "hook" and agent.name in GRANTED else SEEN
        else:
            words[kind] = ABSENT if kind not in there else UNSUPPORTED if kind in cannot else "not seen"
    return words
