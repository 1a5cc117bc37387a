"""The promises of a source, as tests: subclass `SourceConformance` and give it one fixture, `under_test`."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from .. import errors
from ..values import Source
from .description import SourceUnderTest
from .runner import Harness
from .suite import is_safe, outcome, undeclared, with_provider


class SourceConformance:
    """Each test is one promise. What the author does not give (an absent plugin, say) is skipped as undeclared."""

    @pytest.fixture
    def under_test(self) -> Iterator[SourceUnderTest]:
        """Overridden by every provider's tests."""
        raise NotImplementedError("override the fixture `under_test` and yield a SourceUnderTest")

    def test_what_is_fetched_is_the_plugin_byte_for_byte(self, under_test: SourceUnderTest, tmp_path: Path) -> None:
        """Every file, and no other: no `.git`, no archive, no lock."""

        async def work(harness: Harness) -> None:
            await _fetch(harness, under_test.source, tmp_path / "to")
            assert _tree(tmp_path / "to") == dict(under_test.files)

        with_provider(under_test, work)

    def test_an_executable_file_stays_executable(self, under_test: SourceUnderTest, tmp_path: Path) -> None:
        """And no other becomes it."""
        to = tmp_path / "to"

        async def work(harness: Harness) -> None:
            await _fetch(harness, under_test.source, to)
            files = [path for path in to.rglob("*") if path.is_file() and path.stat().st_mode & stat.S_IXUSR]
            assert {path.relative_to(to).as_posix() for path in files} == set(under_test.executable)

        with_provider(under_test, work)

    def test_the_name_is_the_one_that_it_vouches_for(self, under_test: SourceUnderTest, tmp_path: Path) -> None:
        """Or None, where the manifest names the plugin."""

        async def work(harness: Harness) -> None:
            resolved = await _fetch(harness, under_test.source, tmp_path / "to")
            assert resolved.name == under_test.name

        with_provider(under_test, work)

    def test_nothing_is_written_beside_the_destination(
        self, under_test: SourceUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What a fetch needs for itself lies in a place of its own, and is gone after it."""
        for name in ("here", "temporary"):
            (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / "here")
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

        async def work(harness: Harness) -> None:
            await _fetch(harness, under_test.source, tmp_path / "to")
            assert _tree(tmp_path / "here") == _tree(tmp_path / "temporary") == {}
            assert {path.name for path in (await asyncio.to_thread(lambda: list(tmp_path.iterdir())))} == {
                "here",
                "temporary",
                "to",
            }

        with_provider(under_test, work)

    def test_a_fetch_may_be_repeated_and_brings_the_same(self, under_test: SourceUnderTest, tmp_path: Path) -> None:
        """The same files, the same name, the same revision; also when several fetch at once."""

        async def work(harness: Harness) -> None:
            fetches = [_fetch(harness, under_test.source, tmp_path / str(number)) for number in range(4)]
            first = await fetches.pop(0)
            assert set(await asyncio.gather(*fetches)) == {first}
            for number in range(4):
                assert _tree(tmp_path / str(number)) == dict(under_test.files)

        with_provider(under_test, work)

    def test_a_plugin_that_is_not_there_is_not_found(self, under_test: SourceUnderTest, tmp_path: Path) -> None:
        """`PluginNotFound`."""
        absent = under_test.absent
        if absent is None:
            undeclared("an absent plugin")

        async def work(harness: Harness) -> None:
            _, error = await outcome(_fetch(harness, absent, tmp_path / "to"))
            assert type(error) is errors.PluginNotFound, f"{absent} is not there: {error!r}"

        with_provider(under_test, work)

    def test_a_spec_that_makes_no_sense_is_refused(self, under_test: SourceUnderTest, tmp_path: Path) -> None:
        """`InvalidSource`, `InvalidPluginName` or `UnpinnedSource`, and not a file is written."""
        if not under_test.malformed:
            undeclared("a malformed spec")

        async def work(harness: Harness) -> None:
            for number, spec in enumerate(under_test.malformed):
                place = tmp_path / str(number)
                _, error = await outcome(_fetch(harness, Source(under_test.source.scheme, spec), place))
                refusals = {errors.InvalidSource, errors.InvalidPluginName, errors.UnpinnedSource}
                assert type(error) in refusals, f"{spec!r} was not refused: {error!r}"
                assert not _tree(place)

        with_provider(under_test, work)

    def test_a_source_that_cannot_be_reached_says_nothing_of_why(
        self, under_test: SourceUnderTest, tmp_path: Path
    ) -> None:
        """`SourceUnavailable` or `SourceTimeout`, never `PluginNotFound`; nothing of the failure reaches a client."""
        unreachable = under_test.unreachable
        if unreachable is None:
            undeclared("an unreachable source")

        async def work(harness: Harness) -> None:
            with unreachable():
                _, error = await outcome(_fetch(harness, under_test.source, tmp_path / "to"))
                assert error is not None, "it was fetched from where nobody was"
                assert type(error) is not errors.PluginNotFound, "who cannot ask does not know that it is absent"
                is_safe(error, "resolve_source")
            await _fetch(harness, under_test.source, tmp_path / "again")
            assert _tree(tmp_path / "again") == dict(under_test.files)

        with_provider(under_test, work)

    def test_more_than_the_service_takes_is_refused(self, under_test: SourceUnderTest, tmp_path: Path) -> None:
        """`BundleTooLarge`, by `max_tree_bytes`; the service checks again, but then the disk may be full."""
        most = sum(map(len, under_test.files.values())) - 1
        limited = replace(under_test, service=replace(under_test.service, max_tree_bytes=most))

        async def work(harness: Harness) -> None:
            _, error = await outcome(_fetch(harness, under_test.source, tmp_path / "to"))
            assert type(error) is errors.BundleTooLarge, f"{most} bytes were allowed: {error!r}"

        with_provider(limited, work)

    def test_a_fetch_does_not_hold_up_the_loop(self, under_test: SourceUnderTest, tmp_path: Path) -> None:
        """An `async def` waits without blocking everybody else."""

        async def work(harness: Harness) -> None:
            await _fetch(harness, under_test.source, tmp_path / "to")
            harness.did_not_block()

        with_provider(under_test, work)

    def test_a_fetch_that_is_cancelled_ends(self, under_test: SourceUnderTest, tmp_path: Path) -> None:
        """Within seconds."""

        async def work(harness: Harness) -> None:
            fetch = asyncio.create_task(outcome(_fetch(harness, under_test.source, tmp_path / "to")))
            for _ in range(3):
                await asyncio.sleep(0)
            fetch.cancel()
            await asyncio.wait({fetch}, timeout=5)
            assert fetch.done(), "the fetch ignores that it was cancelled"

        with_provider(under_test, work)

    def test_a_revision_changes_with_what_it_leads_to(self, under_test: SourceUnderTest) -> None:
        """Two equal revisions may be told only of equal bytes; None may always be told."""

        async def work(harness: Harness) -> None:
            first = await harness.call("source_revision", source=under_test.source)
            assert await harness.call("source_revision", source=under_test.source) in {first, None}
            if under_test.change is not None:
                under_test.change()
                changed = await harness.call("source_revision", source=under_test.source)
                assert changed is None or changed != first, "what it leads to changed, and the revision did not"

        with_provider(under_test, work, "source_revision")


async def _fetch(harness: Harness, source: Source, destination: Path) -> Any:
    os.mkdir(destination)  # noqa: PTH102 - at once
    return await harness.call("resolve_source", source=source, destination=destination)


def _tree(folder: Path) -> Mapping[str, bytes]:
    every = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in every}
