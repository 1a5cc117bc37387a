"""An uninstall takes away exactly what the install and the runtime's adaptor brought, on a real directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import adaptor
from support.delivered import tree

from plugport.core.pipeline.memory_file import Appended, Block, remove_blocks
from plugport.core.pipeline.settings_file import remove_entries
from plugport.core.pipeline.settings_fragment import Brought

RULE = "First paragraph.\n\nSecond paragraph.\n\n- a list\n\nThe last one.\n"
FRAGMENT: dict[str, Any] = {
    "hooks": {
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "${CLAUDE_DIR}/hooks/a.sh"}]}]
    },
    "mcpServers": {"ours": {"command": "x"}},
    "model": "ours",
}
FILES = {
    "skills/own/SKILL.md": "own",
    "skills/shared/SKILL.md": "shared",
    "rules/long.md": RULE,
    "hooks/a.sh": "#!/bin/sh\n",
    "commands/c.md": "command",
    "NOTES.md": "a fragment",
    "README.md": "not a fragment",
    "settings-fragment.json": json.dumps(FRAGMENT),
}


@pytest.fixture
async def host(serve, tmp_path):
    """A service with one host workspace that has a person's own things: `(admin, config dir)`."""
    config = tmp_path / "agent"
    (config / ".claude").mkdir(parents=True)
    (config / "CLAUDE.md").write_text("# My notes\n\nKeep this.\n")
    (config / ".claude/settings.json").write_text(
        json.dumps({"mcpServers": {"mine": {"command": "m"}}, "theme": "dark"}, indent=2) + "\n"
    )
    async with serve() as admin:
        body = {
            "id": "w1",
            "org": "acme",
            "runtime": "claude-code",
            "backend": "host",
            "options": {"path": str(config)},
        }
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        yield admin, config


async def _install(admin, name, **more):
    reply = await admin.post("/workspaces/w1/plugins", json={"source": name, **more})
    assert reply.status_code == 200, reply.text


async def _uninstall(admin, name):
    reply = await admin.delete(f"/workspaces/w1/plugins/{name}")
    assert reply.status_code == 200, reply.text
    return reply.json()["left"]


async def test_every_byte_is_as_before(host, add_plugin):
    admin, config = host
    add_plugin("ours", FILES)
    before = tree(config)
    await _install(admin, "ours")
    adaptor.start(config)
    assert RULE in (config / "CLAUDE.md").read_text()
    assert await _uninstall(admin, "ours") == []
    assert tree(config) == before
    assert not (config / "skills/own").exists()


async def test_a_skill_that_another_plugin_ships_stays(host, add_plugin):
    admin, config = host
    add_plugin("other", {"skills/shared/SKILL.md": "shared", "rules/o.md": "Other's rule."})
    add_plugin("ours", FILES)
    await _install(admin, "other")
    adaptor.start(config)
    before = tree(config)
    await _install(admin, "ours")
    adaptor.start(config)
    assert await _uninstall(admin, "ours") == []
    assert tree(config) == before
    assert (config / "skills/shared/SKILL.md").exists()


async def test_what_somebody_edited_stays_and_is_named(host, add_plugin):
    admin, config = host
    add_plugin("ours", FILES)
    await _install(admin, "ours")
    adaptor.start(config)
    (config / "skills/own/SKILL.md").write_text("edited")
    (config / "skills/own/mine.md").write_text("mine")
    memory = (config / "CLAUDE.md").read_text()
    (config / "CLAUDE.md").write_text(memory.replace("The last one.", "The last one, edited."))
    edited = json.loads((config / ".claude/settings.json").read_text())
    edited["mcpServers"]["ours"]["command"] = "edited"
    (config / ".claude/settings.json").write_text(json.dumps(edited, indent=2) + "\n")
    left = await _uninstall(admin, "ours")
    assert left == [
        "skills/own/SKILL.md",
        "CLAUDE.md: rule: long.md",
        ".claude/settings.json: mcpServers.ours",
    ]
    assert (config / "skills/own/SKILL.md").read_text() == "edited"
    assert (config / "skills/own/mine.md").read_text() == "mine"
    assert "The last one, edited." in (config / "CLAUDE.md").read_text()
    assert not (config / "plugins/ours").exists()


async def test_what_an_older_version_left_goes_too(host, add_plugin):
    admin, config = host
    before = tree(config)
    add_plugin("ours", FILES | {"skills/own/SKILL.md": "version one"}, version="1")
    await _install(admin, "ours")
    adaptor.start(config)
    add_plugin("ours", FILES | {"skills/own/SKILL.md": "version two"}, version="2")
    await _install(admin, "ours", restart=False)
    adaptor.start(config)
    assert (config / "skills/own/SKILL.md").read_text() == "version one"
    assert await _uninstall(admin, "ours") == []
    assert tree(config) == before


async def test_a_plugin_that_is_not_there_is_not_found(host):
    admin, _ = host
    reply = await admin.delete("/workspaces/w1/plugins/absent")
    assert (reply.status_code, reply.json()["type"].rsplit(":", 1)[-1]) == (404, "plugin-not-found")


LINES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)
TEXTS = st.lists(LINES, min_size=1, max_size=6).map("\n".join).filter(lambda text: text.strip())
HELD = TEXTS.filter(lambda text: "# Plugin: " not in text)


@settings(max_examples=300)
@given(before=HELD, own=HELD, other=HELD, newline=st.booleans())
def test_cleaning_a_memory_is_the_inverse_of_the_adaptors_appending(before, own, other, newline):
    start = before + "\n"
    text = own + "\n" * newline
    written = f"{text}\n" if newline else f"{text}\n\n"
    block = f"# Plugin: p / rule: r.md\n\n{written}"
    rest = f"# Plugin: pp / rule: r.md\n\n{other}\n\n"
    own_blocks = [Appended((Block("p", "rule", "r.md", text),))]

    def rest_of(memory):
        return remove_blocks(memory.encode(), own_blocks).content.decode()

    assert rest_of(start + block) == start
    assert rest_of(start + block + rest) == start + rest
    assert rest_of(start + rest + block) == start + rest
    assert rest_of(start + rest) == start + rest


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
SERVERS = st.dictionaries(st.sampled_from("abcdef"), JSONS, max_size=3)
FRAGMENTS = st.fixed_dictionaries(
    {}, optional={"mcpServers": SERVERS.filter(bool), "env": SERVERS.filter(bool), "model": JSONS}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mine=st.fixed_dictionaries({"theme": JSONS}), fragment=FRAGMENTS)
def test_cleaning_settings_is_the_inverse_of_the_adaptors_merging(mine, fragment, tmp_path_factory):
    path = Path(tmp_path_factory.mktemp("s")) / "settings.json"
    path.write_text(json.dumps(mine, indent=2) + "\n")
    adaptor._merge(path, fragment)
    cleaned = remove_entries(path.read_bytes(), [Brought(fragment)], [], str(path.parent))
    assert json.loads(cleaned.content) == mine
    kept = remove_entries(path.read_bytes(), [Brought(fragment)], [Brought(fragment)], str(path.parent))
    assert kept.content == path.read_bytes()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7"])
def test_settings_that_cannot_be_read_stay_as_they_are(text):
    assert remove_entries(text.encode(), [Brought({"model": "opus"})], [], "/c").content == text.encode()
