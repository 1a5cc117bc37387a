"""What a delivery promises on a good day."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from ...values.bundle import Bundle
from ..description import BackendUnderTest
from ..faults import bundle_of, watched
from ..runner import Harness
from ..suite import is_safe, outcome
from .assertions import NAME, NEW, ODD, OLD, OTHER, beside, contents, deliver, one_whole, plugin, pushing
from .fixtures import BackendPromises


class DeliveryPromises(BackendPromises):
    """Whole, exact, alone."""

    def test_what_is_delivered_arrives_byte_for_byte(self, under_test: BackendUnderTest, tmp_path: Path) -> None:
        """Every file, whatever its name, with its bytes, and no other."""
        bundle = bundle_of(tmp_path, NAME, ODD)

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, bundle)
            assert contents(under_test.place) == ODD

        pushing(under_test, work)

    def test_the_receipt_has_the_digest_of_what_lies_there(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """`Receipt.digest` is the tree's."""

        async def work(harness: Harness) -> None:
            receipt = await deliver(harness, under_test, new)
            assert receipt.digest == new.digest

        pushing(under_test, work)

    def test_an_executable_file_stays_executable_and_no_other_becomes_it(
        self, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """0755 or 0644."""

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, new)
            found = {path for path, seen in plugin(under_test.place).items() if seen.executable}
            assert found == {"run.sh"}

        pushing(under_test, work)

    def test_the_files_belong_to_the_agent(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """Uid 1000, where the place knows owners."""

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, new)
            assert {seen.owner for seen in plugin(under_test.place).values()} <= {1000, None}

        pushing(under_test, work)

    def test_an_update_replaces_and_does_not_merge(
        self, under_test: BackendUnderTest, new: Bundle, tmp_path: Path
    ) -> None:
        """Nothing of the old version stays."""
        former = bundle_of(tmp_path / "former", NAME, OLD | {"gone": b"old", "gone too/later": b"old"})

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, former)
            await deliver(harness, under_test, new)
            assert set(plugin(under_test.place)) == set(NEW)
            assert not {one for one in under_test.place.folders() if one.startswith(f"plugins/{NAME}/")}

        pushing(under_test, work)

    def test_delivering_the_same_again_repairs_what_was_changed(
        self, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """An install always delivers."""

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, new)
            under_test.place.write(f"plugins/{NAME}/both", b"changed by hand")
            await deliver(harness, under_test, new)
            assert contents(under_test.place) == NEW

        pushing(under_test, work)

    def test_a_delivery_leaves_nothing_beside_the_plugin(
        self, under_test: BackendUnderTest, old: Bundle, new: Bundle
    ) -> None:
        """No staging folder, no old version, no archive."""

        async def work(harness: Harness) -> None:
            for bundle in (old, new):
                await deliver(harness, under_test, bundle)
            assert beside(under_test.place) == {NAME}

        pushing(under_test, work)

    def test_another_plugin_is_left_alone(self, under_test: BackendUnderTest, new: Bundle, tmp_path: Path) -> None:
        """Two plugins live side by side."""
        other = bundle_of(tmp_path, OTHER, {"mine": b"1"})

        async def work(harness: Harness) -> None:
            await deliver(harness, under_test, other)
            await deliver(harness, under_test, new)
            assert contents(under_test.place, OTHER) == {"mine": b"1"}
            assert contents(under_test.place) == NEW

        pushing(under_test, work)

    def test_a_link_in_the_plugins_place_is_replaced_and_not_followed(
        self, under_test: BackendUnderTest, new: Bundle
    ) -> None:
        """Whatever the agent laid there."""

        async def work(harness: Harness) -> None:
            under_test.place.write("skills/keep", b"keep")
            under_test.place.link(f"plugins/{NAME}", "../skills")
            await deliver(harness, under_test, new)
            found = under_test.place.read()
            assert {path for path in found if path.startswith("skills/")} == {"skills/keep"}
            assert contents(under_test.place) == NEW

        pushing(under_test, work)

    def test_two_deliveries_at_once_end_with_one_version_whole(
        self, under_test: BackendUnderTest, old: Bundle, new: Bundle
    ) -> None:
        """Called twice at the same time."""

        async def work(harness: Harness) -> None:
            both = await asyncio.gather(
                outcome(deliver(harness, under_test, old)), outcome(deliver(harness, under_test, new))
            )
            for _, error in both:
                if error is not None:
                    is_safe(error, "deliver")
            one_whole(under_test.place, OLD, NEW)
            await deliver(harness, under_test, new)
            assert contents(under_test.place) == NEW

        pushing(under_test, work)

    def test_a_delivery_does_not_hold_up_the_loop(self, under_test: BackendUnderTest, new: Bundle) -> None:
        """An `async def` reads the stream, and waits for the target, without blocking everybody else."""
        on_loop: list[bool] = []

        async def work(harness: Harness) -> None:
            def on_read(position: int, size: int) -> None:
                on_loop.append(threading.get_ident() == harness.loop_thread)

            await deliver(harness, under_test, watched(new, on_read))
            assert not any(on_loop), "the bundle's stream was read on the event loop: read it in a thread"
            harness.did_not_block()

        pushing(under_test, work)
