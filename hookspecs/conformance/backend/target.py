"""The promises about what people have on a target: it is seen first, stays, and is set aside before it goes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from ...values import Edited, PathKind, Receipt, Removal, TargetQuery, TargetState
from ...values.bundle import Bundle
from ..description import BackendUnderTest
from ..faults import bundle_of
from ..runner import Harness
from .assertions import (
    NAME,
    NEW,
    deliver,
    installed_by_name,
    plugin_contents,
    push_promise,
    uninstall,
    with_pushing_provider,
)
from .fixtures import BackendPromises

_EDITED, _MEMORY, _SETTINGS = "both", "CLAUDE.md", ".claude/settings.json"
_FILE = b"# A file\n"
_SHA256 = hashlib.sha256(_FILE).hexdigest()
_MARK = f"plugins/.plugport/managed/{NAME}"
_HOOKS = ("inspect_target", "uninstall", "list_installed")
_inspecting = push_promise(*_HOOKS)


class TargetPromises(BackendPromises):
    """Nothing of a person's is lost. Undeclared if the backend does not implement `inspect_target`."""

    @_inspecting
    async def test_what_lies_on_the_target_is_told(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """Kind, digest and content of each path, and the files of a tree."""
        await deliver(harness, under_test, new)
        under_test.place.write(_MEMORY, b"\xff mine\0")
        paths = (f"plugins/{NAME}/{_EDITED}", "skills/none")
        state = await _inspect(harness, under_test, TargetQuery(paths, (_MEMORY,), (f"plugins/{NAME}",)))
        assert state.config_dir.startswith("/")
        states = state.paths
        assert states[paths[0]].kind is PathKind.FILE
        assert states[paths[0]].digest == f"sha256:{hashlib.sha256(NEW[_EDITED]).hexdigest()}"
        assert states[paths[1]].kind is PathKind.ABSENT
        assert states[_MEMORY].content == b"\xff mine\0"
        tree = states[f"plugins/{NAME}"]
        assert (tree.kind, tree.digest) == (PathKind.DIRECTORY, new.digest)
        assert set(tree.files or ()) == set(NEW)

    @_inspecting
    async def test_nothing_is_seen_through_a_link(self, harness: Harness, under_test: BackendUnderTest) -> None:
        """A link, and what lies behind one, is `LINK`, without a digest or a content."""
        under_test.place.write(".claude/kit/SKILL.md", _FILE)
        under_test.place.link("skills", ".claude")
        query = TargetQuery(("skills",), ("skills/kit/SKILL.md",))
        states = (await _inspect(harness, under_test, query)).paths
        assert {state.kind for state in states.values()} == {PathKind.LINK}
        assert {(state.digest, state.content) for state in states.values()} == {(None, None)}

    @_inspecting
    async def test_nothing_is_deleted_through_a_link(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """What lies behind a link stays, and is named."""
        await deliver(harness, under_test, new)
        under_test.place.write(".claude/kit/SKILL.md", _FILE)
        under_test.place.link("skills", ".claude")
        receipt = await uninstall(harness, under_test, Removal(NAME, files={"skills/kit/SKILL.md": (_SHA256,)}))
        assert under_test.place.read()[".claude/kit/SKILL.md"].content == _FILE
        assert receipt.left == ("skills/kit/SKILL.md",)

    @_inspecting
    async def test_a_text_is_edited_on_bytes(self, harness: Harness, under_test: BackendUnderTest) -> None:
        """An edit gets every byte and the config dir's absolute path, and every byte of its answer is written."""
        config_dirs: list[str] = []

        def edit(content: bytes, config_dir: str) -> Edited:
            config_dirs.append(config_dir)
            return Edited(content.replace(b"block", b""))

        under_test.place.write(_SETTINGS, b"\xef\xbb\xbf\xff\r\nblock\0\xe9")
        await uninstall(harness, under_test, Removal(NAME, edits={_SETTINGS: edit}))
        assert under_test.place.read()[_SETTINGS].content == b"\xef\xbb\xbf\xff\r\n\0\xe9"
        assert config_dirs
        assert all(path.startswith("/") and not path.endswith("/.claude") for path in config_dirs)

    @_inspecting
    async def test_what_an_edit_needs_stays_and_is_named(
        self, harness: Harness, under_test: BackendUnderTest
    ) -> None:
        """A text that cannot be edited keeps what it refers to."""

        def edit(content: bytes, config_dir: str) -> Edited:
            return Edited(content, ("it cannot be read",), (".claude/hooks/kit.sh",))

        under_test.place.write(_SETTINGS, b"{,")
        under_test.place.write(".claude/hooks/kit.sh", _FILE)
        files = {".claude/hooks/kit.sh": (_SHA256,)}
        receipt = await uninstall(harness, under_test, Removal(NAME, files=files, edits={_SETTINGS: edit}))
        assert under_test.place.read()[".claude/hooks/kit.sh"].content == _FILE
        assert set(receipt.left) == {".claude/hooks/kit.sh", f"{_SETTINGS}: it cannot be read"}

    @_inspecting
    async def test_a_linked_text_is_named(self, harness: Harness, under_test: BackendUnderTest) -> None:
        """`left` tells the truth: a linked memory file is not edited, and is named; what is gone is not."""
        under_test.place.write(".claude/memory", b"block")
        under_test.place.link(_MEMORY, ".claude/memory")
        edits = dict.fromkeys((_MEMORY, "AGENTS.md"), lambda content, config_dir: Edited(b""))
        receipt = await uninstall(harness, under_test, Removal(NAME, edits=edits))
        assert under_test.place.read()[".claude/memory"].content == b"block"
        assert [line.partition(":")[0] for line in receipt.left] == [_MEMORY]

    @_inspecting
    async def test_an_edited_file_survives_a_reinstall(
        self, harness: Harness, under_test: BackendUnderTest, old: Bundle, new: Bundle
    ) -> None:
        """What somebody edited or added is set aside and named, and nothing else is."""
        await deliver(harness, under_test, old)
        under_test.place.write(f"plugins/{NAME}/{_EDITED}", b"mine")
        under_test.place.write(f"plugins/{NAME}/notes.md", b"mine too")
        receipt = await deliver(harness, under_test, new)
        assert plugin_contents(under_test.place) == NEW
        _assert_kept(under_test, receipt, {_EDITED: b"mine", "notes.md": b"mine too"})

    @_inspecting
    async def test_an_edited_file_survives_an_uninstall(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """It is set aside and named."""
        await deliver(harness, under_test, new)
        under_test.place.write(f"plugins/{NAME}/{_EDITED}", b"mine")
        receipt = await uninstall(harness, under_test, Removal(NAME))
        assert plugin_contents(under_test.place) == {}
        _assert_kept(under_test, receipt, {_EDITED: b"mine"})

    @_inspecting
    async def test_what_was_set_aside_can_be_restored(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """`Removal.restore` puts it back, and does nothing else."""
        await deliver(harness, under_test, new)
        under_test.place.write(f"plugins/{NAME}/{_EDITED}", b"mine")
        (kept,) = (await deliver(harness, under_test, new)).kept
        await uninstall(harness, under_test, Removal(NAME, restore=kept.rpartition("/")[2]))
        assert plugin_contents(under_test.place) == NEW | {_EDITED: b"mine"}

    def test_what_is_kept_is_bounded_and_what_goes_is_named(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """The oldest goes first, and the newest stays."""
        bounded = replace(under_test, service=replace(under_test.service, kept_files=1))

        async def scenario(harness: Harness) -> None:
            receipts = [await deliver(harness, bounded, new)]
            for content in (b"first", b"second"):
                under_test.place.write(f"plugins/{NAME}/{_EDITED}", content)
                receipts.append(await deliver(harness, bounded, new))
            assert (receipts[1].dropped, receipts[2].dropped) == ((), receipts[1].kept)
            _assert_kept(under_test, receipts[2], {_EDITED: b"second"})

        with_pushing_provider(bounded, scenario, *_HOOKS)

    @_inspecting
    async def test_a_mark_says_what_was_delivered(
        self, harness: Harness, under_test: BackendUnderTest, old: Bundle, new: Bundle
    ) -> None:
        """`managed/<name>`: the version that lies there, until it is uninstalled. So our own is never taken for
        another's."""
        for bundle in (old, new):
            await deliver(harness, under_test, bundle)
            lines = [f"{file.sha256}  ./{file.path}" for file in bundle.files]
            mark = under_test.place.read()[_MARK].content.decode()
            digest = bundle.digest.removeprefix("sha256:")
            assert mark.splitlines() == ["plugport 1", f"digest {digest}", *lines]
        await uninstall(harness, under_test, Removal(NAME))
        assert _MARK not in under_test.place.read()

    @_inspecting
    async def test_what_an_earlier_version_left_goes_too(
        self, harness: Harness, under_test: BackendUnderTest
    ) -> None:
        """Each digest of `Removal.files` is one of a version that was delivered."""
        under_test.place.write("skills/kit/SKILL.md", _FILE)
        removal = Removal(NAME, files={"skills/kit/SKILL.md": ("0" * 64, _SHA256, "1" * 64)})
        receipt = await uninstall(harness, under_test, removal)
        assert receipt.left == ()
        assert "skills/kit/SKILL.md" not in under_test.place.read()

    @_inspecting
    async def test_no_file_name_is_a_separator(
        self, harness: Harness, under_test: BackendUnderTest, tmp_path: Path
    ) -> None:
        """Names like `--texts--`, and names that the target's own tools escape, are listed, seen and deleted."""
        files = {
            f"rules/{name}": _FILE for name in ("--files--", "--texts--", "--manifests--", "a  b", "installed x")
        }
        bundle = bundle_of(tmp_path, NAME, files)
        await deliver(harness, under_test, bundle)
        assert {name: plugin.digest for name, plugin in (await installed_by_name(harness, under_test)).items()} == {
            NAME: bundle.digest
        }
        under_test.place.write(f"plugins/{NAME}/a\nb\\c", b"odd")
        state = await _inspect(harness, under_test, TargetQuery(trees=(f"plugins/{NAME}",)))
        assert set(state.paths[f"plugins/{NAME}"].files or ()) == {*files, "a\nb\\c"}
        receipt = await uninstall(harness, under_test, Removal(NAME))
        assert len(receipt.kept_files) == 1


async def _inspect(harness: Harness, under_test: BackendUnderTest, query: TargetQuery) -> TargetState:
    state: TargetState = await harness.call("inspect_target", workspace=under_test.workspace, query=query)
    return state


def _assert_kept(under_test: BackendUnderTest, receipt: Receipt, files: dict[str, bytes]) -> None:
    """Fail if not exactly these files were set aside and named."""
    assert set(receipt.kept_files) == {f"plugins/{NAME}/{path}" for path in files}
    (kept,) = receipt.kept
    root = f"plugins/.plugport/kept/{NAME}/"
    assert kept.startswith(root)
    seen = {path: state.content for path, state in under_test.place.read().items() if path.startswith(root)}
    assert seen == {f"{kept}/{path}": content for path, content in files.items()}
