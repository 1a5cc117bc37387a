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
from .runner import Harness, assert_error_is_safe, declared, outcome, promise, undeclared, with_provider


class SourceConformance:
    """Each test is one promise. A test that needs what the author left out (an absent plugin, say) is skipped."""

    @pytest.fixture
    def under_test(self) -> Iterator[SourceUnderTest]:
        """Describe the source: override this."""
        raise NotImplementedError("override the fixture `under_test` and yield a SourceUnderTest")

    @promise()
    async def test_what_is_fetched_is_the_plugin_byte_for_byte(
        self, harness: Harness, under_test: SourceUnderTest, tmp_path: Path
    ) -> None:
        """Every file, and no other: no `.git`, no archive, no lock."""
        await _fetch(harness, under_test.source, tmp_path / "to")
        assert _tree(tmp_path / "to") == dict(under_test.files)

    @promise()
    async def test_an_executable_file_stays_executable(
        self, harness: Harness, under_test: SourceUnderTest, tmp_path: Path
    ) -> None:
        """No other file becomes executable."""
        to = tmp_path / "to"
        await _fetch(harness, under_test.source, to)
        files = [path for path in to.rglob("*") if path.is_file() and path.stat().st_mode & stat.S_IXUSR]
        assert {path.relative_to(to).as_posix() for path in files} == set(under_test.executable)

    @promise()
    async def test_the_name_is_the_declared_one(
        self, harness: Harness, under_test: SourceUnderTest, tmp_path: Path
    ) -> None:
        """None, if the manifest names the plugin."""
        resolved = await _fetch(harness, under_test.source, tmp_path / "to")
        assert resolved.name == under_test.name

    def test_nothing_is_written_beside_the_destination(
        self, under_test: SourceUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The working directory and the temporary directory are empty after the fetch."""
        for name in ("here", "temporary"):
            (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / "here")
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

        async def scenario(harness: Harness) -> None:
            await _fetch(harness, under_test.source, tmp_path / "to")
            assert _tree(tmp_path / "here") == _tree(tmp_path / "temporary") == {}
            assert set(os.listdir(tmp_path)) == {"here", "temporary", "to"}  # noqa: PTH208 - at once

        with_provider(under_test, scenario)

    @promise()
    async def test_a_fetch_may_be_repeated_and_brings_the_same(
        self, harness: Harness, under_test: SourceUnderTest, tmp_path: Path
    ) -> None:
        """The same files, the same name, the same revision; also when several fetch at once."""
        fetches = [_fetch(harness, under_test.source, tmp_path / str(number)) for number in range(4)]
        first = await fetches.pop(0)
        assert set(await asyncio.gather(*fetches)) == {first}
        for number in range(4):
            assert _tree(tmp_path / str(number)) == dict(under_test.files)

    @promise()
    async def test_a_plugin_that_is_not_there_is_not_found(
        self, harness: Harness, under_test: SourceUnderTest, tmp_path: Path
    ) -> None:
        """`PluginNotFound`."""
        absent = declared(under_test.absent, "an absent plugin")
        _, error = await outcome(_fetch(harness, absent, tmp_path / "to"))
        assert type(error) is errors.PluginNotFound, f"{absent} is not there: {error!r}"

    @promise()
    async def test_a_malformed_spec_is_refused(
        self, harness: Harness, under_test: SourceUnderTest, tmp_path: Path
    ) -> None:
        """`InvalidSource`, `InvalidPluginName` or `UnpinnedSource`, and not a file is written."""
        if not under_test.malformed:
            undeclared("a malformed spec")
        for number, spec in enumerate(under_test.malformed):
            destination = tmp_path / str(number)
            _, error = await outcome(_fetch(harness, Source(under_test.source.scheme, spec), destination))
            refusals = {errors.InvalidSource, errors.InvalidPluginName, errors.UnpinnedSource}
            assert type(error) in refusals, f"{spec!r} was not refused: {error!r}"
            assert not _tree(destination)

    @promise()
    async def test_an_unreachable_source_is_unavailable_and_shows_no_reason(
        self, harness: Harness, under_test: SourceUnderTest, tmp_path: Path
    ) -> None:
        """`SourceUnavailable` or `SourceTimeout`, never `PluginNotFound`; nothing of the failure reaches a client."""
        unreachable = declared(under_test.unreachable, "an unreachable source")
        with unreachable():
            _, error = await outcome(_fetch(harness, under_test.source, tmp_path / "to"))
            assert error is not None, "it was fetched though the source cannot be reached"
            assert type(error) is not errors.PluginNotFound, (
                "a source that cannot be reached does not know that the plugin is absent"
            )
            assert_error_is_safe(error, "resolve_source")
        await _fetch(harness, under_test.source, tmp_path / "again")
        assert _tree(tmp_path / "again") == dict(under_test.files)

    def test_more_than_the_service_takes_is_refused(self, under_test: SourceUnderTest, tmp_path: Path) -> None:
        """`BundleTooLarge` beyond `max_tree_bytes`. The service checks again, but by then the disk may be full."""
        limit = sum(map(len, under_test.files.values())) - 1
        limited = replace(under_test, service=replace(under_test.service, max_tree_bytes=limit))

        async def scenario(harness: Harness) -> None:
            _, error = await outcome(_fetch(harness, under_test.source, tmp_path / "to"))
            assert type(error) is errors.BundleTooLarge, f"{limit} bytes were allowed: {error!r}"

        with_provider(limited, scenario)

    @promise()
    async def test_a_fetch_does_not_block_the_loop(
        self, harness: Harness, under_test: SourceUnderTest, tmp_path: Path
    ) -> None:
        """An `async def` waits without blocking."""
        await _fetch(harness, under_test.source, tmp_path / "to")
        harness.assert_loop_stayed_free()

    @promise()
    async def test_a_fetch_that_is_cancelled_ends(
        self, harness: Harness, under_test: SourceUnderTest, tmp_path: Path
    ) -> None:
        """Within seconds."""
        fetch = asyncio.create_task(outcome(_fetch(harness, under_test.source, tmp_path / "to")))
        for _ in range(3):
            await asyncio.sleep(0)
        await harness.assert_cancelled_call_ends(fetch)

    @promise("source_revision")
    async def test_a_revision_changes_with_the_plugin(self, harness: Harness, under_test: SourceUnderTest) -> None:
        """Two revisions may be equal only if every byte is. None is always right."""
        first = await harness.call("source_revision", source=under_test.source)
        assert await harness.call("source_revision", source=under_test.source) in {first, None}
        if under_test.change is not None:
            under_test.change()
            changed = await harness.call("source_revision", source=under_test.source)
            assert changed is None or changed != first, "the plugin changed, and the revision did not"


async def _fetch(harness: Harness, source: Source, destination: Path) -> Any:
    os.mkdir(destination)  # noqa: PTH102 - at once
    return await harness.call("resolve_source", source=source, destination=destination)


def _tree(folder: Path) -> Mapping[str, bytes]:
    every = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in every}
