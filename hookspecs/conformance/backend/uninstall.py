"""The promises of an uninstall: every byte as it was before, and what somebody edited stays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from ...values import Cleaned, Receipt, Removal
from ...values.bundle import Bundle
from ..description import BackendUnderTest
from ..faults import bundle_of
from ..runner import Harness
from .assertions import NAME, OTHER, deliver, plugin_contents, plugin_folders, push_promise, uninstall
from .fixtures import BackendPromises

SKILL, BLOCK, MINE = b"# A skill\n", "# Plugin: kit-p / rule: a.md\n\nOne.\n\n", "# Mine\n\nKeep.\n"
SETTINGS = {"theme": "dark", "mcpServers": {"mine": {"url": "http://mine"}}}


class UninstallPromises(BackendPromises):
    """`Removal` is carried out in its order, and nothing else changes."""

    @push_promise("uninstall")
    async def test_an_uninstall_restores_every_byte(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """What the install brought, and what the runtime's adaptor made of it, is gone; the rest is as it was."""
        place = under_test.place
        place.write("CLAUDE.md", MINE.encode())
        place.write(".claude/settings.json", json.dumps(SETTINGS).encode())
        place.write("skills/mine/SKILL.md", b"mine")
        before = {path: state.content for path, state in place.read().items()}
        await deliver(harness, under_test, new)
        place.write("skills/kit/SKILL.md", SKILL)
        place.write("CLAUDE.md", (MINE + BLOCK).encode())
        theirs = SETTINGS | {"mcpServers": SETTINGS["mcpServers"] | {"kit": {"url": "http://kit"}}}  # type: ignore[operator]
        place.write(".claude/settings.json", json.dumps(theirs).encode())
        receipt = await uninstall(harness, under_test, _removal())
        assert receipt == Receipt(None, ())
        assert {path: state.content for path, state in place.read().items()} == before
        assert not {path for path in place.folders() if path.startswith(("skills/kit", f"plugins/{NAME}"))}

    @push_promise("uninstall")
    async def test_what_somebody_edited_stays_and_is_named(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """A file with other bytes than were delivered, and whatever `clean_memory` left."""
        await deliver(harness, under_test, new)
        under_test.place.write("skills/kit/SKILL.md", b"edited")
        under_test.place.write("CLAUDE.md", (MINE + BLOCK).encode())
        receipt = await uninstall(harness, under_test, _removal(left=("rule a.md",)))
        assert set(receipt.left) == {"skills/kit/SKILL.md", "CLAUDE.md: rule a.md"}
        assert under_test.place.read()["skills/kit/SKILL.md"].content == b"edited"

    @push_promise("uninstall")
    async def test_a_memory_file_that_becomes_empty_is_deleted(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """`Cleaned(None)`."""
        await deliver(harness, under_test, new)
        under_test.place.write("CLAUDE.md", BLOCK.encode())
        await uninstall(harness, under_test, _removal())
        assert "CLAUDE.md" not in under_test.place.read()

    @push_promise("uninstall")
    async def test_an_uninstall_may_be_repeated(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """Also of a plugin that was never there."""
        await uninstall(harness, under_test, Removal(NAME))
        await deliver(harness, under_test, new)
        for _ in range(2):
            receipt = await uninstall(harness, under_test, _removal())
            assert receipt == Receipt(None, ())
        assert NAME not in plugin_folders(under_test.place)

    @push_promise("uninstall")
    async def test_another_plugin_survives_an_uninstall(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle, tmp_path: Path
    ) -> None:
        """Only the plugin that is named is removed."""
        other = bundle_of(tmp_path, OTHER, {"mine": b"1"})
        for bundle in (new, other):
            await deliver(harness, under_test, bundle)
        await uninstall(harness, under_test, _removal())
        assert plugin_contents(under_test.place, OTHER) == {"mine": b"1"}

    @push_promise("uninstall")
    async def test_a_folder_that_holds_something_else_stays(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """A directory is removed only if it is empty."""
        await deliver(harness, under_test, new)
        under_test.place.write("skills/kit/SKILL.md", SKILL)
        under_test.place.write("skills/kit/notes", b"a person's")
        await uninstall(harness, under_test, _removal())
        assert {path for path in under_test.place.read() if path.startswith("skills/")} == {"skills/kit/notes"}

    @push_promise("uninstall")
    async def test_the_settings_are_cleaned_with_the_folders_own_path(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """`clean_settings` gets the absolute path of `.claude` on the target."""
        claude_dirs: list[str] = []

        def clean(text: str, claude_dir: str) -> Cleaned:
            claude_dirs.append(claude_dir)
            return Cleaned(text)

        await deliver(harness, under_test, new)
        under_test.place.write(".claude/settings.json", b"{}")
        await uninstall(harness, under_test, Removal(NAME, clean_settings=clean))
        assert claude_dirs
        assert all(path.startswith("/") and path.endswith("/.claude") for path in claude_dirs)
        assert under_test.place.read()[".claude/settings.json"].content == b"{}"


def _removal(left: tuple[str, ...] = ()) -> Removal:
    """Return what removes the kit's plugin, with the files that an adaptor makes of it."""

    def clean_memory(text: str) -> Cleaned:
        kept = text.replace(BLOCK, "")
        return Cleaned(kept or None, left)

    def clean_settings(text: str, claude_dir: str) -> Cleaned:
        settings: Mapping[str, dict[str, object]] = json.loads(text)
        servers = settings.get("mcpServers", {})
        if "kit" not in servers:
            return Cleaned(text)
        del servers["kit"]
        return Cleaned(json.dumps(settings))

    return Removal(
        NAME,
        skills=("kit",),
        files={"skills/kit/SKILL.md": (hashlib.sha256(SKILL).hexdigest(),)},
        directories=("skills/kit",),
        clean_memory=clean_memory,
        clean_settings=clean_settings,
    )
