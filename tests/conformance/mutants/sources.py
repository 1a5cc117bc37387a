"""Sources that break a promise of a source, each of them one."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path

from good import GoodSource, digest_of
from verdicts import BLOCK_SECONDS, CANCELLED_SECONDS, must_fail

from plugport.hookspecs import Resolved, errors, hookimpl
from plugport.hookspecs.conformance.runner import SECRET


@must_fail("test_what_is_fetched_is_the_plugin_byte_for_byte")
class BringsItsOwnMetadata(GoodSource):
    def copy(self, folder, destination):
        super().copy(folder, destination)
        (destination / ".fetched").write_text("now")


@must_fail("test_an_executable_file_stays_executable")
class LosesModes(GoodSource):
    def copy(self, folder, destination):
        super().copy(folder, destination)
        for path in destination.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)


@must_fail("test_the_name_is_the_declared_one")
class VouchesForAnotherName(GoodSource):
    def fetch(self, source, destination):
        return Resolved("another", super().fetch(source, destination).revision)


@must_fail("test_nothing_is_written_beside_the_destination")
class LeavesATemporaryFile(GoodSource):
    def copy(self, folder, destination):
        super().copy(folder, destination)
        (Path(tempfile.mkdtemp()) / "archive").write_text("left")


@must_fail("test_a_fetch_may_be_repeated_and_brings_the_same")
class CountsItsFetches(GoodSource):
    count = 0

    def fetch(self, source, destination):
        self.count += 1
        number = self.count
        return Resolved(super().fetch(source, destination).name, str(number))


@must_fail("test_a_plugin_that_is_not_there_is_not_found")
class TakesAbsentForUnavailable(GoodSource):
    def folder(self, source):
        try:
            return super().folder(source)
        except errors.PluginNotFound as error:
            raise errors.SourceUnavailable("what now") from error


@must_fail("test_a_malformed_spec_is_refused")
class LeavesTheShelf(GoodSource):
    def folder(self, source):
        return self.shelf / "plug" if source.spec.startswith("..") else super().folder(source)


@must_fail("test_an_unreachable_source_is_unavailable_and_shows_no_reason")
class SaysWhyItCannotBeReached(GoodSource):
    def folder(self, source):
        if self.away:
            raise errors.UnsafeBundle(f"token {SECRET}", errors.BundleFault.BOMB)
        return super().folder(source)


@must_fail("test_an_unreachable_source_is_unavailable_and_shows_no_reason")
class TakesUnavailableForAbsent(GoodSource):
    def folder(self, source):
        if self.away:
            raise errors.PluginNotFound("not here")
        return super().folder(source)


@must_fail("test_more_than_the_service_takes_is_refused")
class FillsTheDisk(GoodSource):
    def fetch(self, source, destination):
        self.copy(self.folder(source), destination)
        return Resolved(source.spec, digest_of(destination))


@must_fail("test_a_fetch_does_not_block_the_loop")
class FetchesOnTheLoop(GoodSource):
    asked = False

    @hookimpl
    async def resolve_source(self, source, destination):
        if not self.asked:
            time.sleep(BLOCK_SECONDS)
        self.asked = True
        return self.fetch(source, destination)


@must_fail("test_a_fetch_that_is_cancelled_ends")
class FetchesOnWhenCancelled(GoodSource):
    @hookimpl
    async def resolve_source(self, source, destination):
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            until = time.monotonic() + 2 * CANCELLED_SECONDS
            while time.monotonic() < until:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.1)
        return await asyncio.to_thread(self.fetch, source, destination)


@must_fail("test_a_revision_changes_with_the_plugin")
class NeverChangesItsRevision(GoodSource):
    @hookimpl
    def source_revision(self, source):
        return "1"
