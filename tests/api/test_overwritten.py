"""A person's hook or command that the adaptor writes over comes back with the uninstall."""

from __future__ import annotations

import pytest
from support import adaptor
from support.delivered import tree

HOOK, COMMAND = ".claude/hooks/a.sh", ".claude/commands/c.md"


@pytest.fixture
async def host(serve, tmp_path):
    """A service with one host workspace, in which a person has a hook and a command: `(admin, config dir)`."""
    config = tmp_path / "agent"
    for path, text in ((HOOK, "mine\n"), (COMMAND, "my command\n")):
        (config / path).parent.mkdir(parents=True)
        (config / path).write_text(text)
    async with serve() as admin:
        options = {"path": str(config)}
        body = {"id": "w1", "org": "acme", "runtime": "claude-code", "backend": "host", "options": options}
        assert (await admin.post("/workspaces", json=body)).status_code == 201
        yield admin, config


async def _install(admin, name, status=200, **fields):
    reply = await admin.post("/workspaces/w1/plugins", json={"source": name} | fields)
    assert reply.status_code == status, reply.text
    return reply.json()


async def _uninstall(admin, name):
    reply = await admin.delete(f"/workspaces/w1/plugins/{name}")
    assert reply.status_code == 200, reply.text
    return reply.json()["left"]


async def test_it_is_named_and_comes_back(host, add_plugin):
    admin, config = host
    add_plugin("ours", {"hooks/a.sh": "theirs", "commands/c.md": "theirs"})
    before = tree(config)
    assert (await _install(admin, "ours"))["overwritten"] == [COMMAND, HOOK]
    adaptor.start(config)
    assert (config / HOOK).read_text() == "theirs"
    assert await _uninstall(admin, "ours") == []
    assert tree(config) == before


async def test_without_a_start_it_is_untouched(host, add_plugin):
    admin, config = host
    add_plugin("ours", {"hooks/a.sh": "theirs"})
    before = tree(config)
    await _install(admin, "ours")
    assert await _uninstall(admin, "ours") == []
    assert tree(config) == before


async def test_it_comes_back_after_updates_and_reinstalls(host, add_plugin):
    admin, config = host
    before = tree(config)
    for version, text in (("1", "one"), ("2", "two"), ("2", "two"), ("1", "one")):
        add_plugin("ours", {"hooks/a.sh": text, "commands/c.md": "the same"}, version)
        await _install(admin, "ours")
        adaptor.start(config)
    assert (config / HOOK).read_text() == "one"
    assert await _uninstall(admin, "ours") == []
    assert tree(config) == before


async def test_it_comes_back_with_the_version_that_no_longer_has_the_file(host, add_plugin):
    admin, config = host
    folder = add_plugin("ours", {"hooks/a.sh": "one", "rules/r.md": "x"})
    await _install(admin, "ours")
    adaptor.start(config)
    (folder / "hooks/a.sh").unlink()
    await _install(admin, "ours")
    assert (config / HOOK).read_text() == "mine\n"


async def test_what_the_person_writes_later_is_recorded_by_the_next_install(host, add_plugin):
    admin, config = host
    add_plugin("ours", {"hooks/a.sh": "theirs", "hooks/new.sh": "theirs"})
    await _install(admin, "ours")
    adaptor.start(config)
    (config / HOOK).write_text("mine again\n")
    (config / ".claude/hooks/new.sh").write_text("mine, too\n")
    await _install(admin, "ours")
    adaptor.start(config)
    assert (config / HOOK).read_text() == "theirs"
    assert await _uninstall(admin, "ours") == []
    assert (config / HOOK).read_text() == "mine again\n"
    assert (config / ".claude/hooks/new.sh").read_text() == "mine, too\n"


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
async def test_two_plugins_write_over_one_file(host, add_plugin, order):
    admin, config = host
    before = tree(config)
    for name in ("first", "second"):
        add_plugin(name, {"hooks/a.sh": name, "commands/c.md": "both"})
        await _install(admin, name)
        adaptor.start(config)
    for name in order:
        await _uninstall(admin, name)
        if name == order[0]:
            adaptor.start(config)
            assert (config / HOOK).read_text() == order[1]
            assert (config / COMMAND).read_text() == "both"
    assert tree(config) == before


async def test_one_that_is_too_long_to_be_recorded_is_not_written_over(host, add_plugin):
    admin, config = host
    (config / HOOK).write_bytes(b"x" * 300_000)
    add_plugin("ours", {"hooks/a.sh": "theirs"})
    refusal = await _install(admin, "ours", 409)
    assert refusal["type"].endswith("not-managed")
    assert HOOK in refusal["detail"]
    assert not (config / "plugins/ours").exists()
    await _install(admin, "ours", adopt=True)


async def test_one_that_was_edited_after_it_was_written_over_stays_with_the_older_one_beside_it(host, add_plugin):
    admin, config = host
    add_plugin("ours", {"hooks/a.sh": "theirs"})
    await _install(admin, "ours")
    adaptor.start(config)
    (config / HOOK).write_text("theirs, edited")
    left = await _uninstall(admin, "ours")
    beside = next(path for path in tree(config) if path.startswith(f"{HOOK}.before-ours-"))
    assert left == [beside, f"{HOOK}: it is not what the plugin brought"]
    assert (config / beside).read_text() == "mine\n"
    assert (config / HOOK).read_text() == "theirs, edited"
