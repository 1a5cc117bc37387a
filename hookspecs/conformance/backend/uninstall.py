"""What an uninstall promises: every byte as it was, and what somebody edited stays."""

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
from .assertions import NAME, OTHER, beside, contents, deliver, pushing
from .fixtures import BackendPromises

SKILL, BLOCK, MINE = b"# A skill\n", "# Plugin: kit-p / rule: a.md\n\nOne.\n\n", "# Mine\n\nKeep.\n"
SETTINGS = {"theme": "dark", "mcpServers": {"mine": {"url": "http://mine"}}}


class UninstallPromises(BackendPromises):
    """As `Removal` says, in its order, and nothing else."""

    def test_an_uninstall_restores_every_byte(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """What the install brought, and what the runtime's adaptor made of it, is gone; the rest is as it was."""

        async def work(harness: Harness) -> None:
            place = under_test.place
            place.write("CLAUDE.md", MINE.encode())
            place.write(".claude/settings.json", json.dumps(SETTINGS).encode())
            place.write("skills/mine/SKILL.md", b"mine")
            before = {path: seen.content for path, seen in place.read().items()}
            await deliver(harness, under_test, new)
            place.write("skills/kit/SKILL.md", SKILL)
            place.write("CLAUDE.md", (MINE + BLOCK).encode())
            theirs = SETTINGS | {"mcpServers": SETTINGS["mcpServers"] | {"kit": {"url": "http://kit"}}}  # type: ignore[operator]
            place.write(".claude/settings.json", json.dumps(theirs).encode())
            receipt = await _uninstall(harness, under_test, _removal())
            assert receipt == Receipt(None, ())
            assert {path: seen.content for path, seen in place.read().items()} == before
            assert not {one for one in place.folders() if one.startswith(("skills/kit", f"plugins/{NAME}"))}

        pushing(under_test, work, "uninstall")

    def test_what_somebody_edited_stays_and_is_named(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """A file with other bytes than were shipped, and whatever a cleaning left."""

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, new)
            under_test.place.write("skills/kit/SKILL.md", b"edited")
            under_test.place.write("CLAUDE.md", (MINE + BLOCK).encode())
            receipt = await _uninstall(harness, under_test, _removal(left=("rule a.md",)))
            assert set(receipt.left) == {"skills/kit/SKILL.md", "CLAUDE.md: rule a.md"}
            found = under_test.place.read()
            assert found["skills/kit/SKILL.md"].content == b"edited"

        pushing(under_test, work, "uninstall")

    def test_a_text_of_which_nothing_is_left_is_deleted(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """`Cleaned(None)`."""

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, new)
            under_test.place.write("CLAUDE.md", BLOCK.encode())
            await _uninstall(harness, under_test, _removal())
            assert "CLAUDE.md" not in under_test.place.read()

        pushing(under_test, work, "uninstall")

    def test_an_uninstall_may_be_repeated(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """What is gone already is fine, and so is a plugin that was never there."""

        async def work(harness: Harness) -> None:
            await _uninstall(harness, under_test, Removal(NAME))
            await deliver(harness, under_test, new)
            for _ in range(2):
                receipt = await _uninstall(harness, under_test, _removal())
                assert receipt == Receipt(None, ())
            assert NAME not in beside(under_test.place)

        pushing(under_test, work, "uninstall")

    def test_another_plugin_survives_an_uninstall(
        self, under_test: BackendUnderTest, new: Bundle, tmp_path: Path
    ) -> None:
        """Only the one that is named goes."""
        other = bundle_of(tmp_path, OTHER, {"mine": b"1"})

        async def work(harness: Harness) -> None:
            for bundle in (new, other):
                await deliver(harness, under_test, bundle)
            await _uninstall(harness, under_test, _removal())
            assert contents(under_test.place, OTHER) == {"mine": b"1"}

        pushing(under_test, work, "uninstall")

    def test_a_folder_that_holds_something_else_stays(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """A directory goes only where it is empty."""

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, new)
            under_test.place.write("skills/kit/SKILL.md", SKILL)
            under_test.place.write("skills/kit/notes", b"a person's")
            await _uninstall(harness, under_test, _removal())
            assert {path for path in under_test.place.read() if path.startswith("skills/")} == {"skills/kit/notes"}

        pushing(under_test, work, "uninstall")

    def test_the_settings_are_cleaned_with_the_folders_own_path(
        self, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """`clean_settings` gets the absolute path of `.claude` on the target."""
        told: list[str] = []

        def clean(text: str, claude_dir: str) -> Cleaned:
            told.append(claude_dir)
            return Cleaned(text)

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, new)
            under_test.place.write(".claude/settings.json", b"{}")
            await _uninstall(harness, under_test, Removal(NAME, clean_settings=clean))
            assert told
            assert all(one.startswith("/") and one.endswith("/.claude") for one in told)
            assert under_test.place.read()[".claude/settings.json"].content == b"{}"

        pushing(under_test, work, "uninstall")


async def _uninstall(harness: Harness, under_test: BackendUnderTest, removal: Removal) -> Receipt:
    receipt: Receipt = await harness.call("uninstall", workspace=under_test.workspace, removal=removal)
    return receipt


def _removal(left: tuple[str, ...] = ()) -> Removal:
    """What takes the kit's plugin away, with what an adaptor makes of it."""

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
