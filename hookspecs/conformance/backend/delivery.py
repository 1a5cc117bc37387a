"""The promises of a delivery on a good day."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from ...values.bundle import Bundle
from ..description import BackendUnderTest
from ..faults import bundle_of, watch_reads
from ..runner import Harness, assert_error_is_safe, outcome
from .assertions import (
    NAME,
    NEW,
    ODD,
    OLD,
    OTHER,
    assert_one_version,
    deliver,
    plugin_contents,
    plugin_files,
    plugin_folders,
    push_promise,
)
from .fixtures import BackendPromises


class DeliveryPromises(BackendPromises):
    """The plugin is whole and exact, and nothing else changes."""

    @push_promise()
    async def test_what_is_delivered_arrives_byte_for_byte(
        self, harness: Harness, under_test: BackendUnderTest, tmp_path: Path
    ) -> None:
        """Every file, whatever its name, with its bytes, and no other."""
        bundle = bundle_of(tmp_path, NAME, ODD)
        await deliver(harness, under_test, bundle)
        assert plugin_contents(under_test.place) == ODD

    @push_promise()
    async def test_the_receipt_has_the_digest_of_what_lies_there(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """`Receipt.digest` is the tree's."""
        receipt = await deliver(harness, under_test, new)
        assert receipt.digest == new.digest

    @push_promise()
    async def test_an_executable_file_stays_executable_and_no_other_becomes_it(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """0755 or 0644."""
        await deliver(harness, under_test, new)
        executable = {path for path, state in plugin_files(under_test.place).items() if state.executable}
        assert executable == {"run.sh"}

    @push_promise()
    async def test_the_files_belong_to_the_agent(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """Uid 1000, if the place knows owners."""
        await deliver(harness, under_test, new)
        assert {state.owner for state in plugin_files(under_test.place).values()} <= {1000, None}

    @push_promise()
    async def test_an_update_replaces_and_does_not_merge(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle, tmp_path: Path
    ) -> None:
        """Nothing of the old version stays."""
        former = bundle_of(tmp_path / "former", NAME, OLD | {"gone": b"old", "gone too/later": b"old"})
        await deliver(harness, under_test, former)
        await deliver(harness, under_test, new)
        assert set(plugin_files(under_test.place)) == set(NEW)
        assert not {path for path in under_test.place.folders() if path.startswith(f"plugins/{NAME}/")}

    @push_promise()
    async def test_delivering_the_same_again_repairs_what_was_changed(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """An install always delivers."""
        await deliver(harness, under_test, new)
        under_test.place.write(f"plugins/{NAME}/both", b"changed by hand")
        await deliver(harness, under_test, new)
        assert plugin_contents(under_test.place) == NEW

    @push_promise()
    async def test_a_delivery_leaves_nothing_beside_the_plugin(
        self, harness: Harness, under_test: BackendUnderTest, old: Bundle, new: Bundle
    ) -> None:
        """No staging folder, no old version, no archive."""
        for bundle in (old, new):
            await deliver(harness, under_test, bundle)
        assert plugin_folders(under_test.place) == {NAME}

    @push_promise()
    async def test_another_plugin_is_left_alone(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle, tmp_path: Path
    ) -> None:
        """Two plugins can be installed beside each other."""
        other = bundle_of(tmp_path, OTHER, {"mine": b"1"})
        await deliver(harness, under_test, other)
        await deliver(harness, under_test, new)
        assert plugin_contents(under_test.place, OTHER) == {"mine": b"1"}
        assert plugin_contents(under_test.place) == NEW

    @push_promise()
    async def test_a_link_in_the_plugins_place_is_replaced_and_not_followed(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """The agent may have made the link."""
        under_test.place.write("skills/keep", b"keep")
        under_test.place.link(f"plugins/{NAME}", "../skills")
        await deliver(harness, under_test, new)
        assert {path for path in under_test.place.read() if path.startswith("skills/")} == {"skills/keep"}
        assert plugin_contents(under_test.place) == NEW

    @push_promise()
    async def test_two_deliveries_at_once_end_with_one_version_whole(
        self, harness: Harness, under_test: BackendUnderTest, old: Bundle, new: Bundle
    ) -> None:
        """Two calls at the same time."""
        outcomes = await asyncio.gather(
            outcome(deliver(harness, under_test, old)), outcome(deliver(harness, under_test, new))
        )
        for _, error in outcomes:
            assert_error_is_safe(error, "deliver")
        assert_one_version(under_test.place, OLD, NEW)
        await deliver(harness, under_test, new)
        assert plugin_contents(under_test.place) == NEW

    @push_promise()
    async def test_a_delivery_does_not_block_the_loop(
        self, harness: Harness, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """An `async def` reads the stream in a thread, and waits for the target without blocking."""
        on_loop: list[bool] = []

        def on_read(position: int, size: int) -> None:
            on_loop.append(threading.get_ident() == harness.loop_thread)

        await deliver(harness, under_test, watch_reads(new, on_read))
        assert not any(on_loop), "the bundle's stream was read on the event loop: read it in a thread"
        harness.assert_loop_stayed_free()
