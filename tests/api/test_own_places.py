"""What lies in the way of plugport's own files is named before anything is changed; a name is no other spelling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.delivered import tree

from plugport.core.dispatcher import Dispatcher
from plugport.hookspecs import PathKind, PathState


@pytest.fixture
def config(tmp_path) -> Path:
    folder = tmp_path / "agent"
    folder.mkdir()
    return folder


@pytest.fixture
async def admin(serve, config, add_plugin):
    """A client of a service with the host workspace `w1`, and a catalog with `ours`."""
    add_plugin("ours", {"skills/own/SKILL.md": "own"})
    async with serve() as client:
        body = {"id": "w1", "org": "acme", "backend": "host", "options": {"path": str(config)}}
        assert (await client.post("/workspaces", json=body)).status_code == 201
        yield client


async def install(admin, name="ours"):
    return await admin.post("/workspaces/w1/plugins", json={"source": name, "restart": False})


@pytest.mark.parametrize("place", ["", "staging", "managed", "managed/ours", "kept", "kept/ours"])
async def test_what_lies_in_place_of_its_own_folders_is_named_and_nothing_is_lost(admin, add_plugin, config, place):
    assert (await install(admin)).status_code == 200
    (config / "plugins/ours/skills/own/SKILL.md").write_text("edited")
    blocked = config / "plugins/.plugport" / place
    whole = blocked.with_name("moved-away")
    if blocked.exists():
        blocked.rename(whole)
    if place == "managed/ours":
        blocked.mkdir()
    else:
        blocked.parent.mkdir(parents=True, exist_ok=True)
        blocked.write_text("mine")
    add_plugin("ours", {"skills/own/SKILL.md": "own"}, version="2.0.0")
    before = tree(config)
    for reply in (
        await install(admin),
        await admin.delete("/workspaces/w1/plugins/ours?restart=false"),
        await admin.post("/workspaces/w1/plugins/ours/restore", json={}),
    ):
        assert reply.status_code == 409, reply.text
        problem = reply.json()
        assert problem["type"].endswith(":place-blocked")
        assert problem["path"] == f"plugins/.plugport/{place}".rstrip("/")
        assert tree(config) == before
    if place == "managed/ours":
        blocked.rmdir()
    else:
        blocked.unlink()
    if whole.exists():
        whole.rename(blocked)
    reply = await install(admin)
    assert (reply.status_code, reply.json()["left"]) == (200, ["plugins/ours/skills/own/SKILL.md"]), reply.text
    assert "edited" in [content.decode() for content in tree(config).values()]


@pytest.mark.parametrize("knows_names", [True, False])
async def test_a_target_that_ignores_case_has_no_second_plugin_to_uninstall(admin, config, monkeypatch, knows_names):
    assert (await install(admin)).status_code == 200
    before = tree(config)
    inspect = Dispatcher.inspect_target

    async def ignoring_case(self, workspace, query):
        """What a file system says that takes `OURS` for `ours`."""
        state = await inspect(self, workspace, query)
        paths = dict(state.paths)
        paths["plugins/OURS"] = PathState(PathKind.DIRECTORY, files={})
        paths["plugins"] = replace(paths["plugins"], names=("ours", ".plugport") if knows_names else None)
        return replace(state, paths=paths)

    monkeypatch.setattr(Dispatcher, "inspect_target", ignoring_case)
    for query in ("", "&adopt=true"):
        reply = await admin.delete(f"/workspaces/w1/plugins/OURS?restart=false{query}")
        assert (reply.status_code, reply.json()["type"].rpartition(":")[2]) == (404, "plugin-not-found"), reply.text
    assert tree(config) == before
    assert (await admin.delete("/workspaces/w1/plugins/ours?restart=false")).status_code == 200


async def test_two_spellings_that_are_two_directories_are_two_plugins(admin, config):
    assert (await install(admin)).status_code == 200
    (config / "plugins/OURS").mkdir()
    (config / "plugins/OURS/mine").write_text("mine")
    reply = await admin.delete("/workspaces/w1/plugins/OURS?restart=false&adopt=true")
    assert reply.status_code == 200, reply.text
    assert (config / "plugins/ours/skills/own/SKILL.md").read_text() == "own"
