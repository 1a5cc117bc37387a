"""What an edited entry of the settings starts in the plugin's directory is not deleted with it, but set aside."""

from __future__ import annotations

import json

import pytest
from support import adaptor

SETTINGS = ".claude/settings.json"


@pytest.fixture
async def host(serve, tmp_path):
    """A service with one host workspace: `(admin, config dir)`."""
    config = tmp_path / "agent"
    (config / ".claude").mkdir(parents=True)
    (config / SETTINGS).write_text('{"theme": "dark"}\n')
    async with serve() as admin:
        options = {"path": str(config)}
        body = {"id": "w1", "org": "acme", "runtime": "claude-code", "backend": "host", "options": options}
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        yield admin, config


def _server(config):
    return {"mcpServers": {"ours": {"command": "python3", "args": [f"{config}/plugins/ours/server.py"]}}}


async def _uninstall(admin):
    reply = await admin.delete("/workspaces/w1/plugins/ours")
    assert reply.status_code == 200, reply.text
    return reply.json()


async def _installed(host, add_plugin, fragment):
    admin, config = host
    files = {"server.py": "print()", "lib/part.py": "x"}
    add_plugin("ours", files | ({"settings-fragment.json": json.dumps(fragment)} if fragment else {}))
    reply = await admin.post("/workspaces/w1/plugins", json={"source": "ours"})
    assert reply.status_code == 200, reply.text
    adaptor.start(config)
    return admin, config


async def test_the_program_of_an_edited_server_is_set_aside(host, add_plugin):
    admin, config = await _installed(host, add_plugin, _server(host[1]))
    settings = json.loads((config / SETTINGS).read_text())
    settings["mcpServers"]["ours"]["env"] = {"TOKEN": "mine"}
    (config / SETTINGS).write_text(json.dumps(settings))
    answer = await _uninstall(admin)
    assert answer["left"] == [
        f"{SETTINGS}: mcpServers.ours",
        f"{SETTINGS}: mcpServers.ours (it starts what lay in plugins/ours: set aside)",
    ]
    (kept,) = answer["kept"]
    assert (config / kept / "server.py").read_text() == "print()"
    assert (config / kept / "lib/part.py").read_text() == "x"
    assert not (config / "plugins/ours").exists()
    assert "TOKEN" in (config / SETTINGS).read_text()
    reply = await admin.post("/workspaces/w1/plugins/ours/restore", json={})
    assert reply.status_code == 200, reply.text
    assert (config / "plugins/ours/server.py").read_text() == "print()"


@pytest.mark.parametrize(
    "settings",
    [
        {"mcpServers": {"mine": {"command": "sh", "args": ["-c", "exec ~/x/plugins/ours/server.py --port 1"]}}},
        {"hooks": {"Stop": [{"hooks": [{"command": "${CLAUDE_DIR}/../plugins/ours/server.py"}]}]}},
        {"statusLine": {"command": "plugins/ours/server.py"}},
    ],
)
@pytest.mark.parametrize("has_fragment", [False, True])
async def test_the_program_of_a_persons_own_entry_is_set_aside(host, add_plugin, settings, has_fragment):
    admin, config = await _installed(host, add_plugin, {"model": "x"} if has_fragment else None)
    (config / SETTINGS).write_text(json.dumps(settings))
    answer = await _uninstall(admin)
    assert len(answer["kept"]) == len(answer["left"]) == 1
    assert json.loads((config / SETTINGS).read_text()) == settings


async def test_settings_that_cannot_be_read_keep_the_program(host, add_plugin):
    admin, config = await _installed(host, add_plugin, _server(host[1]))
    (config / SETTINGS).write_text('{"mcpServers": {"ours": "plugins\\/ours\\/server.py"')
    answer = await _uninstall(admin)
    assert len(answer["kept"]) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"mcpServers": {"mine": {"command": "/srv/plugins/ours-too/server.py"}}},
        {"mcpServers": {"mine": {"command": "/srv/my-plugins/ours/server.py"}}},
        {"permissions": {"allow": ["Read(plugins/ours/**)"]}},
        {"note": "plugins/ours"},
    ],
)
async def test_what_starts_nothing_of_the_plugin_keeps_nothing(host, add_plugin, settings):
    admin, config = await _installed(host, add_plugin, {"model": "x"})
    (config / SETTINGS).write_text(json.dumps(settings))
    answer = await _uninstall(admin)
    assert (answer["left"], answer["kept"]) == ([], [])
    assert not (config / "plugins/.plugport").exists()


async def test_unedited_entries_go_with_the_program(host, add_plugin):
    admin, config = await _installed(host, add_plugin, _server(host[1]))
    answer = await _uninstall(admin)
    assert (answer["left"], answer["kept"]) == ([], [])
    assert json.loads((config / SETTINGS).read_text()) == {"theme": "dark"}


async def test_an_update_sets_nothing_aside(host, add_plugin):
    admin, config = await _installed(host, add_plugin, _server(host[1]))
    settings = json.loads((config / SETTINGS).read_text())
    settings["mcpServers"]["ours"]["env"] = {"TOKEN": "mine"}
    (config / SETTINGS).write_text(json.dumps(settings))
    add_plugin("ours", {"settings-fragment.json": "{}"}, "2.0.0")
    reply = await admin.post("/workspaces/w1/plugins", json={"source": "ours"})
    assert reply.json()["left"] == [f"{SETTINGS}: mcpServers.ours"]
    assert reply.json()["kept"] == []
    assert (config / "plugins/ours/server.py").exists()
