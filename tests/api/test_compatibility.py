"""`/compatibility?runtime=` answers for the runtime asked, also for plugins that have adapters."""

from __future__ import annotations

import pytest
from support.doubles import MemoryBackend

from plugport.core.inventory import InventoryItem, _recorded_adapters
from plugport.core.store.installed import InstalledRecord
from plugport.hookspecs import Workspace

MANIFEST = "name: adapted\nversion: '1'\nruntimes: [claude-code]\n"


@pytest.mark.parametrize(
    ("runtime", "supported"),
    [("claude-code", True), ("claude_code", True), ("lang-graph", True), ("hermes", False), ("codex", False)],
)
@pytest.mark.parametrize("own", ["claude-code", "lang-graph", "hermes"])
async def test_it_answers_for_the_runtime_asked(serve, add_plugin, own, runtime, supported):
    add_plugin("adapted", {"plugin.yaml": MANIFEST, "adapters/lang_graph.py": ""})
    async with serve(MemoryBackend()) as admin:
        body = {"id": "w1", "org": "acme", "backend": "memory", "runtime": own}
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        assert (await admin.post("/workspaces/w1/plugins", json={"source": "adapted"})).status_code == 200
        (listed,) = (await admin.get(f"/workspaces/w1/plugins/compatibility?runtime={runtime}")).json()
        assert (listed["drift"], listed["supported_on_runtime"]) == ("none", supported)


async def test_it_answers_for_what_an_external_agent_pulled(serve, add_plugin):
    add_plugin("adapted", {"plugin.yaml": MANIFEST, "adapters/lang_graph.py": ""})
    async with serve() as admin:
        await admin.post("/workspaces", json={"id": "ext", "org": "acme", "runtime": "external"})
        assert (await admin.get("/workspaces/ext/plugins/adapted/download")).status_code == 200
        for runtime, supported in (("lang-graph", True), ("hermes", False)):
            (listed,) = (await admin.get(f"/workspaces/ext/plugins/compatibility?runtime={runtime}")).json()
            assert listed["supported_on_runtime"] == supported


@pytest.mark.parametrize(("runtime", "supported"), [("hermes", True), ("codex", False), ("claude-code", True)])
def test_a_row_of_the_first_release_knows_the_workspaces_own_runtime(runtime, supported):
    manifest = {"runtimes": ["claude-code"]}
    record = InstalledRecord("w1", "p", "p", None, "d", None, None, manifest, (), True, True, None, 0.0)
    adapters = _recorded_adapters(record, Workspace("w1", runtime="Hermes"))
    assert InventoryItem("p", manifest, None, record, adapters).supports(runtime) == supported
