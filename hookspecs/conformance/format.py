"""The promises of a format, as tests: subclass `FormatConformance` and give it one fixture, `under_test`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pytest

from ..values import ContentFinding, Contents, PluginTree
from .description import FormatUnderTest
from .runner import Harness, declared, promise

MOST_SECONDS = 10.0
"""Seconds of this process that one reading may take, whatever the tree holds."""
DAMAGES: Final[Mapping[str, bytes]] = {
    "nothing": b"",
    "bytes that are no text": bytes(range(256)),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a list": b"[1, 2]",
    "a number": b"5",
    "an open bracket": b'{"name": "x"',
    "3,000 open brackets": b"[" * 3000,
    "a cycle": b"a: &a [*a]",
    "an open front matter": b"---\nname: x",
}
"""What the kit puts in the place of a file."""
_LARGE: Final[Mapping[str, bytes]] = {
    "brackets": b"[" * 1_000_000,
    "spaces": b" " * 1_000_000,
    "quotes": b'{"' + b"\\" * 1_000_000,
    "dashes": b"- " * 500_000,
    "lines": b"---\n" * 250_000,
}
_SHOWN: Final = ("name", "version", "description", "author", "licence")


class FormatConformance:
    """Each test is one promise. A test that needs `manifest` is skipped if the author left it out."""

    @pytest.fixture
    def under_test(self) -> Iterator[FormatUnderTest]:
        """Describe the format: override this."""
        raise NotImplementedError("override the fixture `under_test` and yield a FormatUnderTest")

    @promise()
    async def test_it_reads_a_plugin_of_its_format(
        self, harness: Harness, under_test: FormatUnderTest, tmp_path: Path
    ) -> None:
        """The name, and every component that the description names."""
        contents = await _read(harness, tmp_path, under_test.files)
        assert contents is not None, "it declined a plugin of its own format"
        assert contents.format == harness.provider.format, "`Contents.format` is the provider's `format`"
        assert contents.name == under_test.name
        names = {(component.kind.value, component.name) for component in contents.components}
        assert set(under_test.components) <= names, f"missing: {set(under_test.components) - names}"

    @promise()
    async def test_a_tree_of_another_format_is_declined(
        self, harness: Harness, under_test: FormatUnderTest, tmp_path: Path
    ) -> None:
        """None, so that another format can answer."""
        assert "notes.txt" not in under_test.files
        assert await _read(harness, tmp_path, {"notes.txt": b"nothing for an agent\n"}) is None

    @promise()
    async def test_every_path_is_one_of_the_tree(
        self, harness: Harness, under_test: FormatUnderTest, tmp_path: Path
    ) -> None:
        """A component's and a finding's path leads to a file below the plugin's root."""
        contents = await _read(harness, tmp_path, under_test.files)
        assert contents is not None
        paths = {component.path for component in contents.components}
        assert paths <= set(under_test.files), f"not in the tree: {paths - set(under_test.files)}"
        _assert_findings(contents, under_test.files)

    @promise()
    async def test_what_it_returns_can_be_stored(
        self, harness: Harness, under_test: FormatUnderTest, tmp_path: Path
    ) -> None:
        """As JSON in UTF-8, without NUL, without numbers that JSON does not have."""
        contents = await _read(harness, tmp_path, under_test.files)
        assert contents is not None
        shown = [getattr(contents, field) for field in _SHOWN]
        components = [[each.kind.value, each.name, each.path, dict(each.data)] for each in contents.components]
        findings = [asdict(finding) for finding in contents.findings]
        document = [shown, components, dict(contents.manifest), findings]
        stored = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
        assert b"\\u0000" not in stored, "a text holds a NUL, which PostgreSQL does not store"

    @promise()
    async def test_a_reading_may_be_repeated_and_changes_nothing(
        self, harness: Harness, under_test: FormatUnderTest, tmp_path: Path
    ) -> None:
        """The same tree gives the same contents, and has the same files afterwards."""
        first = await _read(harness, tmp_path, under_test.files)
        assert await harness.call("read_plugin", tree=_tree(tmp_path, under_test.files)) == first
        assert _present(tmp_path) == dict(under_test.files), "it wrote into the tree"

    @promise()
    @pytest.mark.parametrize("damage", DAMAGES)
    async def test_a_damaged_file_is_no_error(
        self, harness: Harness, under_test: FormatUnderTest, tmp_path: Path, damage: str
    ) -> None:
        """Whichever file it is: the answer is contents with findings, or None."""
        for number, path in enumerate(under_test.files):
            files = {**under_test.files, path: DAMAGES[damage]}
            contents = await _read(harness, tmp_path / str(number), files)
            if contents is not None:
                _assert_findings(contents, files)

    @promise()
    async def test_a_damaged_manifest_is_a_finding(
        self, harness: Harness, under_test: FormatUnderTest, tmp_path: Path
    ) -> None:
        """The plugin is still of the format; what is wrong stands at the manifest's path."""
        manifest = declared(under_test.manifest, "a manifest")
        contents = await _read(harness, tmp_path, {**under_test.files, manifest: b"[\x00"})
        assert contents is not None, "a plugin whose manifest is damaged is still of the format"
        assert manifest in {finding.path for finding in contents.findings}, "no finding names the manifest"

    @promise()
    async def test_a_file_that_cannot_be_read_is_no_error(
        self, harness: Harness, under_test: FormatUnderTest, tmp_path: Path
    ) -> None:
        """A file may vanish, or a folder may stand where a file was."""
        for number, path in enumerate(under_test.files):
            tree = _tree(tmp_path / str(number), under_test.files)
            (tmp_path / str(number) / path).unlink()
            _expect(await harness.call("read_plugin", tree=tree))
            (tmp_path / str(number) / path).mkdir()
            _expect(await harness.call("read_plugin", tree=tree))

    @promise()
    @pytest.mark.parametrize("kind", _LARGE)
    async def test_a_reading_takes_a_bounded_time(
        self, harness: Harness, under_test: FormatUnderTest, tmp_path: Path, kind: str
    ) -> None:
        """A megabyte of anything in any of its files is read in a few seconds, or not at all."""
        for number, path in enumerate(under_test.files):
            start = time.process_time()
            await _read(harness, tmp_path / str(number), {**under_test.files, path: _LARGE[kind]})
            seconds = time.process_time() - start
            assert seconds < MOST_SECONDS, f"{path} took {seconds:.0f} s"

    @promise()
    async def test_no_finding_shows_where_the_tree_lies(
        self, harness: Harness, under_test: FormatUnderTest, tmp_path: Path
    ) -> None:
        """Findings reach clients: they name no path of this machine."""
        files = dict.fromkeys(under_test.files, b"[\x00")
        contents = await _read(harness, tmp_path, files)
        for finding in contents.findings if contents else ():
            assert str(tmp_path) not in finding.message + finding.path, finding

    @promise()
    async def test_many_readings_at_once_do_not_mix(
        self, harness: Harness, under_test: FormatUnderTest, tmp_path: Path
    ) -> None:
        """Many installs ask at the same time, and none blocks the loop."""
        trees = [_tree(tmp_path / "full", under_test.files), _tree(tmp_path / "none", {"notes.txt": b""})]
        answers = await asyncio.gather(*(harness.call("read_plugin", tree=tree) for tree in trees * 5))
        assert [answer is not None for answer in answers] == [True, False] * 5, "answers were mixed up"
        harness.assert_loop_stayed_free()


async def _read(harness: Harness, folder: Path, files: Mapping[str, bytes]) -> Contents | None:
    return _expect(await harness.call("read_plugin", tree=_tree(folder, files)))


def _expect(answer: object) -> Contents | None:
    assert answer is None or isinstance(answer, Contents), f"a format answers with Contents or None: {answer!r}"
    return answer


def _tree(folder: Path, files: Mapping[str, bytes]) -> PluginTree:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return PluginTree({path: folder / path for path in files})


def _present(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _assert_findings(contents: Contents, files: Mapping[str, bytes]) -> None:
    for finding in contents.findings:
        assert isinstance(finding, ContentFinding), f"a finding is a ContentFinding: {finding!r}"
        assert finding.path in files or finding.path == "", f"{finding.rule} names {finding.path}, which is not there"
        lines = files.get(finding.path, b"").count(b"\n") + 1
        assert 0 <= finding.line <= lines, f"{finding.rule} is in line {finding.line} of {lines}"
        assert finding.message.strip(), f"{finding.rule} says nothing"
