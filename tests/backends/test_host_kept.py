"""What people edited in a plugin is set aside, whatever happens and whenever, under more than one shell."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from support.delivered import plugins_in, staging_of, tree
from support.shells import with_shell

from plugport.builtin_backends.shell import KeepBounds
from plugport.builtin_backends.shell.install import install
from plugport.builtin_backends.shell.plugin_list import list_installed
from plugport.builtin_backends.shell.script import script_command
from plugport.builtin_backends.shell.uninstall import uninstall
from plugport.hookspecs import Receipt, Removal, errors
from plugport.hookspecs.conformance import bundle_of

ROOT = os.geteuid() == 0
OLD = {"plugin.yaml": b"name: p\nversion: 1\n", "config.json": b"{}", "old/gone.md": b"old", "same.md": b"same"}
NEW = {"plugin.yaml": b"name: p\nversion: 2\n", "config.json": b'{"new": 1}', "same.md": b"same"}
KEPT = "plugins/.plugport/kept/p"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / 'config dir\'s "place"'
    folder.mkdir()
    return folder


@pytest.fixture
def old(tmp_path):
    return bundle_of(tmp_path / "old", "p", OLD)


@pytest.fixture
def new(tmp_path):
    return bundle_of(tmp_path / "new", "p", NEW)


def kept_trees(config: Path) -> dict[str, dict[str, bytes]]:
    return {folder.name: tree(folder) for folder in (config / KEPT).glob("*")}


def lines_of(files: dict[str, bytes]) -> str:
    return "".join(f"{hashlib.sha256(files[path]).hexdigest()}  ./{path}\n" for path in sorted(files))


async def test_the_mark_names_the_version_that_lies_there(channel, config, old, new):
    await install(channel, str(config), old)
    mark = config / "plugins/.plugport/managed/p"
    assert mark.read_text() == f"plugport 1\ndigest {old.digest[7:]}\n{lines_of(OLD)}"
    await install(channel, str(config), new)
    assert mark.read_text() == f"plugport 1\ndigest {new.digest[7:]}\n{lines_of(NEW)}"
    for path in (mark, mark.parent, mark.parent.parent):
        assert path.stat().st_uid == (1000 if ROOT else os.geteuid())


async def test_an_unedited_version_leaves_nothing_behind(channel, config, old, new):
    await install(channel, str(config), old)
    receipt = await install(channel, str(config), new)
    assert receipt == Receipt(new.digest)
    receipt = await uninstall(channel, str(config), Removal("p"))
    assert (receipt.kept, receipt.kept_files, receipt.left) == ((), (), ())
    assert os.listdir(config / "plugins") == []


@pytest.mark.parametrize("how", ["install", "uninstall"])
async def test_what_was_edited_and_added_is_set_aside_and_named(channel, config, old, new, how):
    await install(channel, str(config), old)
    place = config / "plugins/p"
    (place / "config.json").write_bytes(b'{"mine": true}')
    (place / "old/notes.md").write_bytes(b"mine")
    (place / "a b").mkdir()
    (place / "a b/$(odd)\n\\name").write_bytes(b"odd")
    (place / os.fsdecode(b"\xff\xfe")).write_bytes(b"bytes")
    (place / "link").symlink_to("/nowhere/at/all")
    (place / "empty").mkdir()
    edited = {"config.json": b'{"mine": true}', "old/notes.md": b"mine", "a b/$(odd)\n\\name": b"odd"}
    edited[os.fsdecode(b"\xff\xfe")] = b"bytes"
    if how == "install":
        receipt = await install(channel, str(config), new)
        assert receipt.digest == new.digest
        assert tree(place) == NEW
    else:
        receipt = await uninstall(channel, str(config), Removal("p"))
        assert plugins_in(config) == []
    (kept,) = receipt.kept
    assert kept.startswith(f"{KEPT}/")
    assert tree(config / kept) == edited
    assert os.readlink(config / kept / "link") == "/nowhere/at/all"
    names = ["config.json", "old/notes.md", "a b/$(odd)\\n\\name", "\\udcff\\udcfe", "link"]
    assert sorted(receipt.kept_files) == sorted(f"plugins/p/{name}" for name in names)
    assert staging_of(config) == []


async def test_a_kept_tree_is_named_by_its_digest_and_the_same_one_is_kept_once(channel, config, old):
    edited = {"config.json": b"mine"}
    digest = hashlib.sha256(lines_of(edited).encode()).hexdigest()
    for _ in range(2):
        await install(channel, str(config), old)
        (config / "plugins/p/config.json").write_bytes(b"mine")
    receipt = await install(channel, str(config), old)
    assert receipt.kept == (f"{KEPT}/{digest}",)
    assert kept_trees(config) == {digest: edited}


async def test_an_edit_stays_where_two_versions_have_the_same_file(channel, config, old):
    """A mark with both versions has the line of such a file twice."""
    await install(channel, str(config), old)
    mark = config / "plugins/.plugport/managed/p"
    mark.write_text(mark.read_text() + mark.read_text().partition("\n")[2])
    (config / "plugins/p/same.md").write_bytes(b"mine")
    await install(channel, str(config), old)
    assert list(kept_trees(config).values()) == [{"same.md": b"mine"}]


async def test_a_name_with_a_newline_cannot_pass_for_another_file(channel, config, old, new):
    await install(channel, str(config), old)
    sha256 = hashlib.sha256(OLD["config.json"]).hexdigest()
    evil = config / f"plugins/p/x\n{sha256}  ."
    evil.mkdir()
    (evil / "config.json").write_bytes(b"y")
    (config / "plugins/p/config.json").write_bytes(b"mine")
    await install(channel, str(config), new)
    (kept,) = kept_trees(config).values()
    assert kept["config.json"] == b"mine"


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("how", ["install", "uninstall"])
async def test_a_version_without_a_mark_is_kept_unless_its_digest_is_known(channel, config, old, new, is_known, how):
    await install(channel, str(config), old)
    (config / "plugins/.plugport/managed/p").unlink()
    known = (new.digest, old.digest) if is_known else (new.digest,)
    if how == "install":
        await install(channel, str(config), new, known)
        kept = {path: content for path, content in OLD.items() if NEW.get(path) != content}
    else:
        await uninstall(channel, str(config), Removal("p", known=known))
        kept = OLD
    assert list(kept_trees(config).values()) == ([] if is_known else [kept])


@pytest.mark.parametrize("kind", ["file", "link"])
async def test_something_else_in_the_plugins_place_is_kept(channel, config, tmp_path, new, kind):
    (config / "plugins").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("keep")
    if kind == "file":
        (config / "plugins/p").write_bytes(b"a file")
    else:
        (config / "plugins/p").symlink_to(outside)
    receipt = await install(channel, str(config), new)
    assert tree(config / "plugins/p") == NEW
    assert receipt.kept_files == ("plugins/p/p",)
    (kept,) = receipt.kept
    if kind == "file":
        assert (config / kept / "p").read_bytes() == b"a file"
    else:
        assert os.readlink(config / kept / "p") == str(outside)
    assert tree(outside) == {"keep": b"keep"}


async def edit_and_install(channel, config, bundle, content: bytes, bounds: KeepBounds):
    (config / "plugins/p/config.json").write_bytes(content)
    os.utime(config / "plugins/p/config.json", (0, 0))
    receipt = await install(channel, str(config), bundle, (), bounds)
    for folder in (config / KEPT).glob("*"):  # some file systems and tools know only seconds
        status = folder.stat()
        os.utime(folder, (status.st_mtime - 10, status.st_mtime - 10))
    return receipt


@pytest.mark.parametrize("bounds", [KeepBounds(files=2), KeepBounds(bytes=20)], ids=["files", "bytes"])
async def test_what_is_kept_is_bounded_oldest_first_and_never_silently(channel, config, old, bounds):
    await install(channel, str(config), old)
    receipts = [await edit_and_install(channel, config, old, b"%010d" % index, bounds) for index in range(4)]
    assert [receipt.dropped for receipt in receipts] == [(), (), receipts[0].kept, receipts[1].kept]
    assert sorted(kept_trees(config)) == sorted(Path(receipt.kept[0]).name for receipt in receipts[2:])


async def test_the_newest_stays_however_large_it_is(channel, config, old):
    await install(channel, str(config), old)
    first = await edit_and_install(channel, config, old, b"first", KeepBounds())
    receipt = await edit_and_install(channel, config, old, b"x" * 100, KeepBounds(files=0, bytes=10))
    assert receipt.dropped == first.kept
    assert list(kept_trees(config).values()) == [{"config.json": b"x" * 100}]


async def killed_at(config: Path, bundle, stops_at: str, shell: list[str]) -> None:
    """Run an install whose shell is killed before its first command that begins with `stops_at`."""
    argv = script_command("install", str(config), "p", bundle.digest.removeprefix("sha256:"))
    text = argv[2]
    assert f"\n    {stops_at}" in text
    argv[2] = text.replace(f"\n    {stops_at}", f"\n    kill -9 $$\n    {stops_at}", 1)
    with bundle.open_tar() as stream:
        process = await asyncio.create_subprocess_exec(*shell, *argv, stdin=stream, stderr=subprocess.DEVNULL)
        assert await process.wait() == -9


STEPS = {
    "before-the-mark": ('put_mark "$stage/marks"', OLD),
    "before-the-swap": ('mv -- "$stage/new" "$stage/swap"', OLD),
    "at-the-swap": ('if ! exchange "$stage/swap" "$plugins/$name"; then', OLD),
    "after-the-swap": ('settle "$stage" || fail 1', NEW),
    "after-setting-aside": ('put_mark "$stage/mark"\n    bound', NEW),
    "before-the-bounds": ('bound "$most_files"', NEW),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("contact", ["install", "uninstall", "another"])
async def test_a_kill_between_any_two_steps_loses_nothing(shell, config, tmp_path, old, new, step, contact):
    channel = with_shell(shell)
    await install(channel, str(config), old)
    (config / "plugins/p/config.json").write_bytes(b"mine")
    (config / "plugins/p/notes.md").write_bytes(b"mine too")
    stops_at, version = STEPS[step]
    await killed_at(config, new, stops_at, shell)
    edited = {"config.json": b"mine", "notes.md": b"mine too"}
    in_place = OLD | edited if version is OLD else NEW
    assert tree(config / "plugins/p") == in_place
    (plugin,) = await list_installed(channel, str(config))
    assert plugin.name == "p"
    assert tree(config / "plugins/p") == in_place
    if contact == "install":
        await install(channel, str(config), new)
    elif contact == "uninstall":
        await uninstall(channel, str(config), Removal("p"))
    else:
        await install(channel, str(config), bundle_of(tmp_path / "q", "q", {"a": b"1"}))
    assert staging_of(config) == []
    if contact == "another" and version is OLD:
        assert tree(config / "plugins/p") == in_place
        assert kept_trees(config) == {}
    else:
        assert list(kept_trees(config).values()) == [edited]


@pytest.mark.parametrize("at", ["first", "second"])
async def test_a_kill_between_two_renames_loses_nothing(shell, config, old, new, at, tmp_path):
    """Without an atomic exchange."""
    channel = with_shell(shell)
    await install(channel, str(config), old)
    (config / "plugins/p/config.json").write_bytes(b"mine")
    argv = script_command("install", str(config), "p", new.digest.removeprefix("sha256:"))
    stops_at = 'if ! mv -- "$stage/swap" "$name"; then' if at == "first" else 'settle "$stage" || fail 1'
    assert stops_at in argv[2]
    text = argv[2].replace('if ! exchange "$stage/swap" "$plugins/$name"; then', "if true; then")
    argv[2] = text.replace(stops_at, f"kill -9 $$\n{stops_at}", 1)
    with new.open_tar() as stream:
        process = await asyncio.create_subprocess_exec(*shell, *argv, stdin=stream, stderr=subprocess.DEVNULL)
        assert await process.wait() == -9
    assert (config / "plugins/p").exists() == (at == "second")
    assert [plugin.name for plugin in await list_installed(channel, str(config))] == ["p"]
    await install(channel, str(config), bundle_of(tmp_path / "q", "q", {"a": b"1"}))
    if at == "first":
        assert tree(config / "plugins/p") == OLD | {"config.json": b"mine"}
        assert kept_trees(config) == {}
    else:
        assert tree(config / "plugins/p") == NEW
        assert list(kept_trees(config).values()) == [{"config.json": b"mine"}]
    assert staging_of(config) == []


async def test_an_uninstall_that_was_killed_keeps_what_was_edited(shell, config, old):
    channel = with_shell(shell)
    await install(channel, str(config), old)
    (config / "plugins/p/config.json").write_bytes(b"mine")
    place = config / "plugins/.plugport/staging/p.AAAAAA"
    place.mkdir()
    (config / "plugins/p").rename(place / "swap")
    receipt = await uninstall(channel, str(config), Removal("p"))
    assert receipt.kept_files == ("plugins/p/config.json",)
    assert not (config / "plugins/.plugport/managed").exists()
    assert plugins_in(config) == []


async def test_leftovers_of_the_first_release_are_swept_and_what_was_edited_there_stays(channel, config, old, new):
    await install(channel, str(config), old)
    (config / "plugins/.stg-AAAAAA").mkdir()
    (config / "plugins/.stg-AAAAAA/x").write_bytes(b"half")
    (config / "plugins/.old-p").mkdir()
    (config / "plugins/.old-p/config.json").write_bytes(b"mine")
    (config / "plugins/.old-p/same.md").write_bytes(b"same")
    await install(channel, str(config), new)
    assert sorted(os.listdir(config / "plugins")) == [".plugport", "p"]
    assert list(kept_trees(config).values()) == [{"config.json": b"mine"}]


@pytest.mark.parametrize("folder", ["", "/staging", "/managed"])
async def test_plugports_own_folders_are_no_links(channel, config, tmp_path, new, folder):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("keep")
    (config / "plugins").mkdir()
    if folder:
        (config / "plugins/.plugport").mkdir()
    (config / f"plugins/.plugport{folder}").symlink_to(outside)
    with pytest.raises(errors.DeliveryFailed, match="is a link"):
        await install(channel, str(config), new)
    assert tree(outside) == {"keep": b"keep"}


async def test_what_was_set_aside_is_restored_and_what_it_replaces_is_set_aside(channel, config, old, new, tmp_path):
    await install(channel, str(config), old)
    place, outside = config / "plugins/p", tmp_path / "outside"
    outside.mkdir()
    edited = {"config.json": b"mine", "notes/deep/a.md": b"a", "linked/b.md": b"b", "odd\nname": b"c"}
    for path, content in edited.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(content)
    (place / "dangling").symlink_to("/nowhere")
    receipt = await install(channel, str(config), new)
    (digest,) = (Path(kept).name for kept in receipt.kept)
    (place / "config.json").write_bytes(b"mine again")
    (place / "linked").symlink_to(outside)
    receipt = await uninstall(channel, str(config), Removal("p", restore=digest))
    assert tree(place) == NEW | edited
    assert os.readlink(place / "dangling") == "/nowhere"
    assert not (place / "linked").is_symlink()
    assert list(outside.iterdir()) == []
    assert sorted(receipt.kept_files) == ["plugins/p/config.json", "plugins/p/linked"]
    (kept,) = receipt.kept
    assert tree(config / kept) == {"config.json": b"mine again"}
    assert staging_of(config) == []
    if ROOT:
        assert (place / "notes/deep").stat().st_uid == 1000
    with pytest.raises(errors.PluginNotFound):
        await uninstall(channel, str(config), Removal("p", restore=digest))


@pytest.mark.parametrize("digest", ["../../managed", "", "A" * 64, "0" * 63, "0" * 64])
async def test_a_digest_that_names_nothing_kept_restores_nothing(channel, config, old, digest):
    await install(channel, str(config), old)
    with pytest.raises(errors.PluginNotFound):
        await uninstall(channel, str(config), Removal("p", restore=digest))
    assert tree(config / "plugins/p") == OLD


async def test_the_clean_up_of_an_update_leaves_the_plugin(channel, config, old):
    await install(channel, str(config), old)
    (config / "commands").mkdir()
    (config / "commands/x.md").write_bytes(b"x")
    files = {"commands/x.md": (hashlib.sha256(b"x").hexdigest(),)}
    removal = Removal("p", files=files, directories=("commands",), keeps_plugin=True)
    receipt = await uninstall(channel, str(config), removal)
    assert (receipt.left, receipt.kept) == ((), ())
    assert tree(config / "plugins/p") == OLD
    assert not (config / "commands").exists()
    assert (config / "plugins/.plugport/managed/p").exists()
