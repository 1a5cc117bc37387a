"""Formats that break a promise of a format, each of them one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from good_format import MANIFEST, GoodFormat
from verdicts import BLOCK_SECONDS, must_fail

from plugport.hookspecs import hookimpl


@must_fail("test_it_reads_a_plugin_of_its_format")
class ForgetsASkill(GoodFormat):
    def contents(self, lines):
        return super().contents(lines[:2])


@must_fail("test_it_reads_a_plugin_of_its_format")
class CallsItselfSomethingElse(GoodFormat):
    def contents(self, lines):
        return replace(super().contents(lines), format="better")


@must_fail("test_a_tree_of_another_format_is_declined")
class AnswersForEveryTree(GoodFormat):
    @hookimpl
    def read_plugin(self, tree):
        return super().read_plugin(tree) or self.contents([])


@must_fail("test_every_path_is_one_of_the_tree")
class NamesAFileThatIsNotThere(GoodFormat):
    def contents(self, lines):
        contents = super().contents(lines)
        return replace(contents, components=tuple(replace(each, path="other.txt") for each in contents.components))


@must_fail("test_what_it_returns_can_be_stored")
class ReturnsBytes(GoodFormat):
    def contents(self, lines):
        return replace(super().contents(lines), manifest={"raw": b"x"})


@must_fail("test_a_reading_may_be_repeated_and_changes_nothing")
class CountsItsReadings(GoodFormat):
    count = 0

    def contents(self, lines):
        self.count += 1
        return replace(super().contents(lines), version=str(self.count))


@must_fail("test_a_reading_may_be_repeated_and_changes_nothing")
class WritesIntoTheTree(GoodFormat):
    def text(self, tree):
        tree._files[MANIFEST].with_name("cache").write_text("x")
        return super().text(tree)


@must_fail("test_a_damaged_file_is_no_error")
class RaisesForWhatIsNoText(GoodFormat):
    def text(self, tree):
        content = tree.read(MANIFEST, 65536) if super().text(tree) is None else b""
        content.decode()
        return super().text(tree)


@must_fail("test_a_damaged_file_is_no_error")
class CountsLinesThatAreNotThere(GoodFormat):
    @hookimpl
    def read_plugin(self, tree):
        contents = super().read_plugin(tree)
        findings = contents.findings if contents else ()
        return contents and replace(contents, findings=tuple(replace(each, line=1000) for each in findings))


@must_fail("test_a_damaged_manifest_is_a_finding")
class DeclinesADamagedManifest(GoodFormat):
    @hookimpl
    def read_plugin(self, tree):
        contents = super().read_plugin(tree)
        return None if contents is None or contents.findings else contents


@must_fail("test_a_file_that_cannot_be_read_is_no_error")
class RaisesForAFileThatVanished(GoodFormat):
    def text(self, tree):
        tree.size(MANIFEST)
        tree.read(MANIFEST)
        return super().text(tree)


@must_fail("test_a_reading_takes_a_bounded_time")
class TakesItsTime(GoodFormat):
    def text(self, tree):
        end = time.process_time() + (BLOCK_SECONDS if len(tree.read(MANIFEST)) > 100_000 else 0)
        while time.process_time() < end:
            pass
        return super().text(tree)

    def read_plugin(self, tree):
        try:
            return super().read_plugin(tree)
        except OSError:
            return None

    read_plugin = hookimpl(read_plugin)


@must_fail("test_no_finding_shows_where_the_tree_lies")
class ShowsWhereTheTreeLies(GoodFormat):
    @hookimpl
    def read_plugin(self, tree):
        contents = super().read_plugin(tree)
        place = str(tree._files.get(MANIFEST))
        findings = contents.findings if contents else ()
        return contents and replace(contents, findings=tuple(replace(each, message=place) for each in findings))


@must_fail("test_many_readings_at_once_do_not_mix")
class MixesTreesUp(GoodFormat):
    @hookimpl
    async def read_plugin(self, tree):
        self.now = tree
        await asyncio.sleep(0.05)
        return GoodFormat.read_plugin(self, self.now)


@must_fail("test_many_readings_at_once_do_not_mix")
class ReadsOnTheLoop(GoodFormat):
    @hookimpl
    async def read_plugin(self, tree):
        if MANIFEST not in tree:
            time.sleep(BLOCK_SECONDS)
        return GoodFormat.read_plugin(self, tree)
