"""Chooses the agents: those of the setting `PLUGPORT_TEST_AGENTS` are tested, the others' tests are deselected.

A test with the mark `only_agents` is of these agents alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.agents.deliveries import Deliveries, deliveries
from support.agents.drivers import AGENTS, Agent
from support.agents.installs import cache_folder, chosen_agents


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `agent` once for each agent."""
    if "agent" in metafunc.fixturenames:
        metafunc.parametrize("agent", list(AGENTS.values()), ids=list(AGENTS), scope="module")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests of agents that are not chosen, or that a test is not of."""
    chosen = chosen_agents()
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        agent = getattr(item, "callspec", None) and item.callspec.params.get("agent")  # type: ignore[attr-defined]
        if isinstance(agent, Agent):
            mark = item.get_closest_marker("only_agents")
            is_wanted = agent.name in chosen and (mark is None or agent.name in mark.args)
            (kept if is_wanted else left_out).append(item)
        else:
            kept.append(item)
    items[:] = kept
    if left_out:
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder with a `home` in it. It is not below `/tmp`: Codex runs nothing with a home there."""
    homes = cache_folder() / "homes"
    homes.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=homes))
    (folder / "home").mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def delivered(agent: Agent, tmp_path: Path) -> Iterator[Deliveries]:
    """A running service that delivers to the agent."""
    with deliveries(tmp_path, agent) as service:
        yield service
