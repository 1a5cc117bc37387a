"""What a person had before an install, or edited after it, is there after an uninstall; what is foreign stays."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from support import adaptor
from support.delivered import tree
from support.doubles import MemoryBackend

from plugport.hookspecs import InstalledPlugin, hookimpl

FRAGMENT = {
    "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "${CLAUDE_DIR}/hooks/a.sh"}]}]},
    "mcpServers": {"ours": {"command": "x"}},
    "model": "opus",
}
FILES = {
    "skills/own/SKILL.md": "own",
    "rules/long.md": "Be kind.\n",
    "hooks/a.sh": "#!/bin/sh\n",
    "commands/c.md": "command",
    "settings-fragment.json": json.dumps(FRAGMENT),
}


@pytest.fixture
def config(tmp_path) -> Path:
    folder = tmp_path / "agent"
    folder.mkdir()
    return folder


@pytest.fixture
async def admin(serve, config):
    """A client of a service with the host workspace `w1`."""
    async with serve() as client:
        body = {
            "id": "w1",
            "org": "acme",
            "runtime": "claude-code",
            "backend": "host",
            "options": {"path": str(config)},
        }
        assert (await client.post("/workspaces", json=body)).status_code == 201
        yield client


async def _install(admin, source, status=200, **more):
    reply = await admin.post("/workspaces/w1/plugins", json={"source": source, **more})
    assert reply.status_code == status, reply.text
    return reply.json()


async def _uninstall(admin, name, status=200, query=""):
    reply = await admin.delete(f"/workspaces/w1/plugins/{name}{query}")
    assert reply.status_code == status, reply.text
    return reply.json()


def _mine(config: Path) -> dict[str, bytes]:
    """The files of the config dir, but for what plugport keeps for itself."""
    return {path: content for path, content in tree(config).items() if not path.startswith("plugins/.plugport/")}


def _lay_out_what_equals_the_plugin(config: Path) -> None:
    for path, content in {
        "skills/own/SKILL.md": "own",
        ".claude/hooks/a.sh": "#!/bin/sh\n",
        ".claude/commands/c.md": "command",
        "CLAUDE.md": "mine\n# Plugin: ours / rule: long.md\n\nBe kind.\n\nmore\n",
    }.items():
        (config / path).parent.mkdir(parents=True, exist_ok=True)
        (config / path).write_text(content)
    placed = json.dumps(FRAGMENT | {"cost": 1}, indent=1).replace("${CLAUDE_DIR}", str(config / ".claude"))
    (config / ".claude/settings.json").write_text(placed.replace('"cost": 1', '"cost": 1.10'))


@pytest.mark.parametrize("started", [False, True])
async def test_what_equals_the_plugin_and_was_there_before_stays(admin, add_plugin, config, started):
    add_plugin("ours", FILES)
    _lay_out_what_equals_the_plugin(config)
    before = _mine(config)
    await _install(admin, "ours")
    if started:
        adaptor.start(config)
        before[".claude/settings.json"] = (config / ".claude/settings.json").read_bytes()
    assert (await _uninstall(admin, "ours"))["left"] == []
    assert _mine(config) == before


async def test_a_folder_that_is_a_link_is_never_followed(admin, add_plugin, config, tmp_path):
    add_plugin("ours", FILES)
    shutil.copytree(_elsewhere(tmp_path), tmp_path / "copy")
    (config / "skills").symlink_to(tmp_path / "elsewhere")
    await _install(admin, "ours")
    await _uninstall(admin, "ours")
    assert tree(tmp_path / "elsewhere") == tree(tmp_path / "copy")


def _elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    (folder / "own").mkdir(parents=True)
    (folder / "own/SKILL.md").write_text("own")
    return folder


async def test_what_came_after_the_install_goes_whatever_other_plugins_do(admin, add_plugin, config):
    add_plugin("ours", FILES)
    add_plugin("other", FILES | {"rules/long.md": "Be brief.\n"})
    before = _mine(config)
    await _install(admin, "ours")
    adaptor.start(config)
    await _install(admin, "other")
    adaptor.start(config)
    await _uninstall(admin, "ours")
    await _uninstall(admin, "other")
    assert _mine(config) == before


@pytest.mark.parametrize("what", ["folder", "file"])
async def test_what_is_not_plugports_is_not_touched(admin, add_plugin, config, what):
    add_plugin("cache", FILES)
    (config / "plugins").mkdir()
    if what == "folder":
        (config / "plugins/cache").mkdir()
        (config / "plugins/cache/state.json").write_text("{}")
    else:
        (config / "plugins/cache").write_text("a file")
    before = tree(config)
    refused = await _install(admin, "cache", 409)
    assert (refused["type"].rsplit(":", 1)[-1], refused["path"]) == ("not-managed", "plugins/cache")
    refused = await _uninstall(admin, "cache", 409)
    assert refused["path"] == "plugins/cache"
    assert tree(config) == before
    adopted = await _install(admin, "cache", adopt=True)
    assert adopted["adopted"] is True
    kept = {path: content for path, content in tree(config).items() if "/kept/" in path}
    assert list(kept.values()) == list(before.values())


async def test_a_delivery_without_a_mark_that_equals_the_bundle_is_adopted(admin, add_plugin, config):
    source = add_plugin("ours", FILES)
    shutil.copytree(source, config / "plugins/ours")
    assert (await _install(admin, "ours"))["adopted"] is True
    assert (await _install(admin, "ours"))["adopted"] is False


async def test_a_lost_database_does_not_make_plugports_folders_foreign(serve, add_plugin, config, tmp_path):
    add_plugin("ours", FILES)
    body = {"id": "w1", "org": "acme", "backend": "host", "options": {"path": str(config)}}
    for data_dir in (tmp_path / "first", tmp_path / "second"):
        async with serve(data_dir=data_dir) as admin:
            await admin.post("/workspaces", json=body)
            assert (await _install(admin, "ours"))["adopted"] is False


async def test_edits_in_the_plugins_folder_are_set_aside_and_can_be_put_back(admin, add_plugin, config):
    add_plugin("ours", FILES)
    await _install(admin, "ours")
    (config / "plugins/ours/notes.md").write_text("my notes")
    (config / "plugins/ours/commands/c.md").write_text("edited")
    reply = await _install(admin, "ours")
    assert sorted(reply["left"]) == ["plugins/ours/commands/c.md", "plugins/ours/notes.md"]
    (kept,) = reply["kept"]
    assert kept.startswith("plugins/.plugport/kept/ours/")
    assert (config / kept / "notes.md").read_text() == "my notes"
    assert not (config / "plugins/ours/notes.md").exists()
    restored = await admin.post("/workspaces/w1/plugins/ours/restore", json={})
    assert restored.status_code == 200, restored.text
    assert sorted(restored.json()["restored"]) == ["plugins/ours/commands/c.md", "plugins/ours/notes.md"]
    assert (config / "plugins/ours/notes.md").read_text() == "my notes"
    assert (config / "plugins/ours/commands/c.md").read_text() == "edited"
    left = (await _uninstall(admin, "ours"))["left"]
    assert sorted(left) == ["plugins/ours/commands/c.md", "plugins/ours/notes.md"]
    assert "my notes" in [content.decode() for content in tree(config).values()]


async def test_there_is_nothing_to_restore_where_nothing_was_set_aside(admin, add_plugin):
    add_plugin("ours", FILES)
    await _install(admin, "ours")
    assert (await admin.post("/workspaces/w1/plugins/ours/restore", json={})).status_code == 404
    assert (await admin.post("/workspaces/w1/plugins/ours/restore", json={"kept": "0" * 64})).status_code == 404


async def test_an_update_reaches_a_started_agent(admin, add_plugin, config):
    old = FILES | {"skills/gone/SKILL.md": "gone", "hooks/old.sh": "#!/bin/sh\n# old\n", "rules/gone.md": "Gone.\n"}
    add_plugin("ours", old)
    await _install(admin, "ours")
    adaptor.start(config)
    fragment = FRAGMENT | {"model": "haiku", "mcpServers": {"new": {"command": "y"}}}
    shutil.rmtree(add_plugin("ours"))
    add_plugin(
        "ours",
        FILES
        | {
            "skills/own/SKILL.md": "new",
            "rules/long.md": "Be brief.\n",
            "settings-fragment.json": json.dumps(fragment),
        },
        version="2",
    )
    reply = await _install(admin, "ours", restart=False)
    assert (reply["stale"], (config / "skills/own/SKILL.md").read_text()) == (True, "own")
    reply = await _install(admin, "ours")
    assert (reply["stale"], reply["left"]) == (False, [])
    adaptor.start(config)
    assert (config / "skills/own/SKILL.md").read_text() == "new"
    assert not (config / "skills/gone").exists()
    assert not (config / ".claude/hooks/old.sh").exists()
    memory = (config / "CLAUDE.md").read_text()
    assert "Be brief." in memory
    assert "Be kind." not in memory
    assert "Gone." not in memory
    settings = json.loads((config / ".claude/settings.json").read_text())
    assert (settings["model"], settings["mcpServers"]) == ("haiku", {"new": {"command": "y"}})
    assert (await _uninstall(admin, "ours"))["left"] == []
    assert _mine(config) == {}


async def test_a_script_that_settings_refer_to_stays_with_its_entry(admin, add_plugin, config):
    add_plugin("ours", FILES)
    await _install(admin, "ours")
    adaptor.start(config)
    settings = config / ".claude/settings.json"
    settings.write_text(settings.read_text().rstrip()[:-1])  # a person has broken it
    left = (await _uninstall(admin, "ours"))["left"]
    assert ".claude/hooks/a.sh" in left
    assert any(line.startswith(".claude/settings.json: ") for line in left)
    assert (config / ".claude/hooks/a.sh").exists()


async def test_settings_nested_3000_deep_are_no_obstacle(admin, add_plugin, config):
    add_plugin("ours", FILES)
    (config / ".claude").mkdir()
    deep = b'{"deep": ' + b"[" * 3000 + b"]" * 3000 + b"}"
    (config / ".claude/settings.json").write_bytes(deep)
    await _install(admin, "ours")
    assert (await _uninstall(admin, "ours"))["left"] == []
    assert (config / ".claude/settings.json").read_bytes() == deep


async def test_what_the_first_release_recorded_is_taken_over(serve, add_plugin, config, tmp_path):
    source = add_plugin("ours", FILES)
    body = {"id": "w1", "org": "acme", "backend": "host", "options": {"path": str(config)}}
    async with serve() as admin:
        await admin.post("/workspaces", json=body)
        installed = await _install(admin, "ours")
        adaptor.start(config)
    shutil.rmtree(config / "plugins/.plugport")  # the first release left no mark
    with sqlite3.connect(tmp_path / "data/plugport.sqlite3") as connection:
        ((stored,),) = connection.execute("SELECT footprints FROM installed")
        (footprint,) = json.loads(stored)
        of_the_first_release = {key: footprint[key] for key in ("files", "skills", "blocks", "settings")}
        values = (json.dumps([of_the_first_release]), None)
        connection.execute("UPDATE installed SET footprints = ?, origin = ?", values)
    connection.close()
    assert tree(config / "plugins/ours") == tree(source)
    async with serve() as admin:
        again = await _install(admin, "ours")
        assert (again["digest"], again["left"], again["adopted"]) == (installed["digest"], [], False)
        assert (await _uninstall(admin, "ours"))["left"] == []
    assert _mine(config) == {}


async def test_two_names_for_one_tree_are_two_archives(admin, add_plugin, config):
    add_plugin("ours", FILES)
    first = await _install(admin, "ours")
    second = await _install(admin, "ours", **{"as": "theirs"})
    assert (first["plugin"], second["plugin"]) == ("ours", "theirs")
    assert first["digest"] == second["digest"]
    assert (config / "plugins/theirs/commands/c.md").read_text() == "command"
    download = await admin.get("/workspaces/w1/plugins/ours/download")
    script = config.parent / "catalog/ours/commands/c.md"
    script.chmod(0o755)
    changed = await admin.get("/workspaces/w1/plugins/ours/download")
    assert changed.headers["etag"] != download.headers["etag"]


@pytest.mark.parametrize("name", ["con", "NUL", "com1.x", "ends."])
async def test_names_that_some_file_system_refuses_are_refused(admin, add_plugin, name):
    add_plugin("ours", FILES)
    assert (await _install(admin, "ours", 400, **{"as": name}))["type"].endswith("invalid-plugin-name")


async def test_names_are_compared_without_case(admin, add_plugin):
    add_plugin("ours", FILES)
    await _install(admin, "ours")
    refused = await _install(admin, "ours", 409, **{"as": "Ours"})
    assert refused["type"].endswith("name-taken")


async def test_a_plugin_of_another_origin_does_not_take_the_name(admin, add_plugin):
    add_plugin("ours", FILES)
    add_plugin("second", FILES)
    await _install(admin, "ours", **{"as": "skills"})
    refused = await _install(admin, "second", 409, **{"as": "skills"})
    assert (refused["installed"], refused["requested"]) == ("local://ours", "local://second")
    assert (await _install(admin, "second", replace=True, **{"as": "skills"}))["plugin"] == "skills"


@pytest.mark.parametrize("variant", ["Ours", "OURS", "ourſ", "ｏurs"])
async def test_another_spelling_of_the_name_on_the_target_is_not_managed(admin, add_plugin, config, variant):
    add_plugin("ours", FILES)
    (config / "plugins" / variant).mkdir(parents=True)
    (config / "plugins" / variant / "mine.txt").write_text("mine")
    before, shown = tree(config), variant.encode("ascii", "backslashreplace").decode()
    refused = await _install(admin, "ours", 409)
    assert (refused["type"].rsplit(":", 1)[-1], refused["path"]) == ("not-managed", f"plugins/{shown}")
    assert tree(config) == before
    assert (await _install(admin, "ours", adopt=True))["plugin"] == "ours"
    assert (config / "plugins" / variant / "mine.txt").read_text() == "mine"
    assert (await _install(admin, "ours"))["plugin"] == "ours"


async def test_a_file_in_place_of_the_plugins_is_not_managed(admin, add_plugin, config):
    add_plugin("ours", FILES)
    (config / "plugins").write_text("mine")
    for adopt in (False, True):
        refused = await _install(admin, "ours", 409, adopt=adopt)
        assert (refused["type"].rsplit(":", 1)[-1], refused["path"]) == ("not-managed", "plugins")
    assert (config / "plugins").read_text() == "mine"


@pytest.mark.parametrize("size", [6_000_000, 17_000_000])
async def test_long_files_stay_as_they_were(admin, add_plugin, config, size):
    add_plugin("ours", FILES)
    (config / ".claude").mkdir()
    (config / "CLAUDE.md").write_bytes(b"x" * size)
    (config / ".claude/settings.json").write_text('{"model": "opus", "mine": "' + "x" * size + '"}')
    before = _mine(config)
    await _install(admin, "ours")
    if size < 16_000_000:  # a longer one is named, and not edited
        adaptor.start(config)
        before[".claude/settings.json"] = json.dumps(json.loads(before[".claude/settings.json"]), indent=2).encode()
        before[".claude/settings.json"] += b"\n"
    left = (await _uninstall(admin, "ours"))["left"]
    assert _mine(config) == before
    assert [line.partition(":")[0] for line in left] == (
        [] if size < 16_000_000 else ["CLAUDE.md", ".claude/settings.json"]
    )


async def test_a_plugin_that_cannot_be_read_has_no_digest(serve, add_plugin):
    class Unreadable(MemoryBackend):
        @hookimpl
        def list_installed(self, workspace):
            return [InstalledPlugin("ours", None), InstalledPlugin("z", "sha256:0")]

    add_plugin("ours", FILES)
    async with serve(Unreadable()) as admin:
        await admin.post("/workspaces", json={"id": "w1", "org": "acme", "backend": "memory"})
        await _install(admin, "ours")
        listed = (await admin.get("/workspaces/w1/plugins")).json()
        assert [(plugin["name"], plugin["digest"], plugin["drift"]) for plugin in listed] == [
            ("ours", None, "unknown"),
            ("z", "sha256:0", "unmanaged"),
        ]
