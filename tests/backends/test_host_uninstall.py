"""An uninstall on bytes: links are left, `left` tells the truth, and what changes meanwhile is read again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from support.delivered import tree
from support.shells import with_shell

from plugport.builtin_backends.shell.install import install
from plugport.builtin_backends.shell.plugin_list import list_installed
from plugport.builtin_backends.shell.uninstall import uninstall
from plugport.hookspecs import Cleaned, Edited, Removal, errors
from plugport.hookspecs.conformance import bundle_of

ROOT = os.geteuid() == 0
SKILL = b"# A skill"
DIGESTS = (hashlib.sha256(SKILL).hexdigest(),)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / 'config dir\'s "place"'
    folder.mkdir()
    return folder


def write(config: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (config / path).parent.mkdir(parents=True, exist_ok=True)
        (config / path).write_bytes(content)


def cut_block(content: bytes, config_dir: str) -> Edited:
    kept = content.replace(b"block", b"")
    return Edited(kept or None)


async def test_edits_are_made_on_bytes_and_keep_owner_and_mode(channel, config):
    write(
        config,
        {"CLAUDE.md": b"\xff\r\nblock\0\xe9", "AGENTS.md": b"block", ".claude/settings.json": b"\xef\xbb\xbf{}"},
    )
    (config / "CLAUDE.md").chmod(0o640)
    if ROOT:
        os.chown(config / "CLAUDE.md", 1234, 1234)
    asked = []

    def edit_settings(content: bytes, config_dir: str) -> Edited:
        asked.append((content, config_dir))
        return Edited(content, ("the entry `x`",))

    edits = {
        "CLAUDE.md": cut_block,
        "AGENTS.md": cut_block,
        ".claude/settings.json": edit_settings,
        "none": cut_block,
    }
    receipt = await uninstall(channel, str(config), Removal("p", edits=edits))
    assert tree(config) == {"CLAUDE.md": b"\xff\r\n\0\xe9", ".claude/settings.json": b"\xef\xbb\xbf{}"}
    assert receipt.left == (".claude/settings.json: the entry `x`",)
    assert asked == [(b"\xef\xbb\xbf{}", str(config.resolve()))]
    status = (config / "CLAUDE.md").stat()
    assert (oct(status.st_mode & 0o7777), status.st_uid) == ("0o640", 1234 if ROOT else os.geteuid())


async def test_what_is_linked_is_left_and_named(channel, config, tmp_path):
    outside = tmp_path / "outside"
    write(outside, {"s/SKILL.md": SKILL, "CLAUDE.md": b"block", "settings.json": b"block", "other": SKILL})
    before = tree(outside)
    (outside / "empty").mkdir()
    (config / "skills").symlink_to(outside)
    (config / "CLAUDE.md").symlink_to(outside / "CLAUDE.md")
    (config / ".claude").symlink_to(outside)
    (config / "linked").symlink_to(outside / "other")
    removal = Removal(
        "p",
        files={"skills/s/SKILL.md": DIGESTS, "linked": DIGESTS, "gone/SKILL.md": DIGESTS},
        directories=("skills/empty", "skills/s"),
        edits={"CLAUDE.md": cut_block, ".claude/settings.json": cut_block, "AGENTS.md": cut_block},
    )
    receipt = await uninstall(channel, str(config), removal)
    assert tree(outside) == before
    assert (outside / "empty").is_dir()
    assert (config / "CLAUDE.md").is_symlink()
    reason = "it is a link or lies behind one, and was not changed"
    links = (f"CLAUDE.md: {reason}", f".claude/settings.json: {reason}")
    assert receipt.left == ("skills/s/SKILL.md", "linked", *links)


async def test_what_an_edit_still_needs_stays_and_is_named(channel, config):
    write(config, {".claude/hooks/a.sh": SKILL, ".claude/hooks/b.sh": SKILL, ".claude/settings.json": b"{,"})

    def edit(content: bytes, config_dir: str) -> Edited:
        return Edited(content, ("it cannot be read",), (".claude/hooks/a.sh",))

    files = dict.fromkeys((".claude/hooks/a.sh", ".claude/hooks/b.sh"), DIGESTS)
    removal = Removal("p", files=files, directories=(".claude/hooks",), edits={".claude/settings.json": edit})
    receipt = await uninstall(channel, str(config), removal)
    assert sorted(tree(config)) == [".claude/hooks/a.sh", ".claude/settings.json"]
    assert receipt.left == (".claude/hooks/a.sh", ".claude/settings.json: it cannot be read")


@pytest.mark.parametrize("what", ["a text", "a file"])
async def test_what_changes_between_reading_and_deleting_is_read_again(config, what):
    write(config, {"CLAUDE.md": b"block", "commands/a.md": SKILL, "commands/b.md": SKILL})
    shell = with_shell([])
    changes: list[str] = []

    class Changing:
        async def run(self, argv, stdin=None):
            completed = await shell.run(argv, stdin)
            if not changes:
                changes.append(what)
                (config / ("CLAUDE.md" if what == "a text" else "commands/a.md")).write_bytes(b"block and mine")
            return completed

    removal = Removal(
        "p", files=dict.fromkeys(("commands/a.md", "commands/b.md"), DIGESTS), edits={"CLAUDE.md": cut_block}
    )
    receipt = await uninstall(Changing(), str(config), removal)  # type: ignore[arg-type]
    if what == "a text":
        assert (tree(config), receipt.left) == ({"CLAUDE.md": b" and mine"}, ())
    else:
        assert (tree(config), receipt.left) == ({"commands/a.md": b"block and mine"}, ("commands/a.md",))


async def test_a_text_that_keeps_changing_ends_the_uninstall_before_anything_is_deleted(config):
    write(config, {"CLAUDE.md": b"block", "commands/a.md": SKILL})
    shell = with_shell([])

    class Changing:
        async def run(self, argv, stdin=None):
            completed = await shell.run(argv, stdin)
            (config / "CLAUDE.md").write_bytes((config / "CLAUDE.md").read_bytes() + b"x")
            return completed

    with pytest.raises(errors.DeliveryFailed):
        await uninstall(
            Changing(),  # type: ignore[arg-type]
            str(config),
            Removal("p", files={"commands/a.md": DIGESTS}, edits={"CLAUDE.md": cut_block}),
        )
    assert (config / "commands/a.md").exists()


async def test_no_name_is_a_separator(channel, config, tmp_path):
    """A skill's file that is called like a separator of the first release blocked every uninstall."""
    names = (
        "skills/t/--texts--",
        "skills/t/--files--",
        "rules/--manifests--",
        "skills/t/a b",
        "-n",
        "skills/t/'\"$x",
    )
    bundle = bundle_of(tmp_path, "p", dict.fromkeys(names, SKILL))
    await install(channel, str(config), bundle)
    write(config, dict.fromkeys(names, SKILL))
    write(config, {"CLAUDE.md": b"block"})
    (plugin,) = await list_installed(channel, str(config))
    assert plugin.digest == bundle.digest
    removal = Removal(
        "p",
        files=dict.fromkeys(names, DIGESTS),
        directories=("skills/t", "skills", "rules"),
        edits={"CLAUDE.md": cut_block},
    )
    receipt = await uninstall(channel, str(config), removal)
    assert receipt.left == ()
    assert tree(config) == {}
    assert os.listdir(config) == ["plugins"]


async def test_a_removal_on_text_works_as_before(channel, config, tmp_path):
    write(config, {"CLAUDE.md": b"\xffblock", ".claude/settings.json": b"{}"})
    (config / "AGENTS.md").symlink_to(tmp_path)
    removal = Removal(
        "p",
        clean_memory=lambda text: Cleaned(text.replace("block", ""), ("rule a.md",)),
        clean_settings=lambda text, claude_dir: Cleaned(claude_dir),
    )
    receipt = await uninstall(channel, str(config), removal)
    assert receipt.left == ("CLAUDE.md: rule a.md",)
    assert tree(config) == {"CLAUDE.md": b"\xff", ".claude/settings.json": os.fsencode(f"{config.resolve()}/.claude")}


ODD_NAMES = [
    b"\xff\xfe",
    b"new\nline",
    b"back\\slash",
    b"tab\t",
    b"--files--",
    b"a b",
    "\u00e9".encode(),
    b"\x1b[31m",
]


async def test_odd_names_on_the_target_are_listed_escaped(channel, config, tmp_path):
    await install(channel, str(config), bundle_of(tmp_path, "p", {"a": b"1", "rules/--manifests--": b"2"}))
    plugins = config / "plugins"
    for name in ODD_NAMES:
        folder = plugins / os.fsdecode(name)
        folder.mkdir()
        (folder / "plugin.yaml").write_bytes(b"name: odd\n")
        (folder / os.fsdecode(name)).write_bytes(b"x")
    (plugins / ".hidden").mkdir()
    (plugins / "file").write_bytes(b"x")
    (plugins / "link").symlink_to("/etc")
    installed = await list_installed(channel, str(config))
    escaped = [
        "\\udcff\\udcfe",
        "new\\nline",
        "back\\slash",
        "tab\\t",
        "--files--",
        "a b",
        "\u00e9",
        "\\x1b[31m",
        "p",
    ]
    assert sorted(plugin.name for plugin in installed) == sorted(escaped)
    assert {plugin.manifest for plugin in installed if plugin.name != "p"} == {"name: odd\n"}
    for plugin in installed:
        plugin.name.encode()
    names = {
        plugin.name for plugin in installed if plugin.digest == next(p.digest for p in installed if p.name == "p")
    }
    assert names == {"p"}


async def test_a_link_into_the_store_is_a_plugin(channel, config, tmp_path):
    await install(channel, str(config), bundle_of(tmp_path, "p", {"a": b"1"}))
    plugins = config / "plugins"
    for name, store in (("q", ".store/aa"), ("r", ".plugport/store/bb")):
        (plugins / store).mkdir(parents=True)
        (plugins / store / "a").write_bytes(b"1")
        (plugins / name).symlink_to(store)
    installed = await list_installed(channel, str(config))
    assert [plugin.name for plugin in installed] == ["p", "q", "r"]
    assert len({plugin.digest for plugin in installed}) == 1
    (plugins / "r/a").write_bytes(b"mine")
    receipt = await uninstall(channel, str(config), Removal("r", known=(installed[0].digest,)))
    assert receipt.kept_files == ("plugins/r/a",)
    receipt = await install(channel, str(config), bundle_of(tmp_path / "2", "q", {"b": b"2"}), (installed[0].digest,))
    assert receipt.kept_files == ()
    assert not (plugins / "q").is_symlink()
    assert not (plugins / ".store/aa").exists()
