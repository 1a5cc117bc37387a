"""What a source downloads is unpacked inside its folder and within the limits, or refused."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import tarfile
import tempfile
from pathlib import Path
from typing import IO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugport.hookspecs import ServiceSettings, errors, unpack

LIMITS = ServiceSettings(plugins_dir="/nonexistent", max_tree_bytes=10_000, max_tree_files=10)
LINK, HARD, DEVICE, FIFO, FOLDER = "link", "hard", "device", "fifo", "folder"
TYPES = {
    LINK: tarfile.SYMTYPE,
    HARD: tarfile.LNKTYPE,
    DEVICE: tarfile.CHRTYPE,
    FIFO: tarfile.FIFOTYPE,
    FOLDER: tarfile.DIRTYPE,
}


class Stream(io.RawIOBase):
    """Bytes that come in small parts, and cannot be sought in."""

    def __init__(self, content: bytes, fails_at: int | None = None) -> None:
        self._given, self._fails_at = io.BytesIO(content), fails_at

    def readable(self):
        return True

    def read(self, size=-1):
        if self._fails_at is not None and self._given.tell() >= self._fails_at:
            raise ConnectionResetError("token=secret")
        return self._given.read(min(size, 700) if size > 0 else 700)


def stream(content: bytes, fails_at: int | None = None) -> IO[bytes]:
    return cast("IO[bytes]", Stream(content, fails_at))


def tar(*entries: tuple, gz: bool = True) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz" if gz else "w") as archive:
        for name, content, *more in entries:
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size, member.mode = len(content), more[0] if more else 0o644
                archive.addfile(member, io.BytesIO(content))
            else:
                member.type, member.linkname = TYPES[content], more[0] if more else ""
                archive.addfile(member)
    return made.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_tar_is_unpacked_whatever_compressed_it(tmp_path, pack):
    content = tar(("a/b c", b"1" * 5000), ("run.sh", b"#!/bin/sh\n", 0o755), ("empty", b""), gz=False)
    unpack(stream(pack(content)), tmp_path, LIMITS)
    assert tree(tmp_path) == {"a/b c": b"1" * 5000, "run.sh": b"#!/bin/sh\n", "empty": b""}
    assert [path.name for path in tmp_path.iterdir() if path.is_file() and path.stat().st_mode & 0o100] == ["run.sh"]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (("../out", b"x"), "out: a link leaves the plugin"),
        (("a/../../out", b"x"), "out: a link leaves the plugin"),
        (("link", LINK, "/etc/passwd"), "link: a link leaves the plugin"),
        (("link", LINK, "../../out"), "link: a link leaves the plugin"),
        (("hard", HARD, "../out"), "hard: a link leaves the plugin"),
        (("hard", HARD, "nothing"), "hard: a link leads nowhere"),
        (("hard", HARD, "hard"), "hard: a link leads nowhere"),
        (("device", DEVICE), "device: a device, a pipe or a socket"),
        (("pipe", FIFO), "pipe: a device, a pipe or a socket"),
    ],
)
def test_what_leads_outside_is_refused_and_nothing_is_written_there(tmp_path, entry, words):
    (tmp_path / "in/to").mkdir(parents=True)
    with pytest.raises(errors.UnsafeBundle) as caught:
        unpack(stream(tar(("first", b"1"), entry)), tmp_path / "in/to", LIMITS)
    assert words in caught.value.detail
    assert set(tree(tmp_path)) <= {"in/to/first"}


def test_an_absolute_name_stays_inside(tmp_path):
    unpack(stream(tar(("/etc/thing", b"x"))), tmp_path, LIMITS)
    assert tree(tmp_path) == {"etc/thing": b"x"}


def test_a_bomb_is_refused_before_it_goes_off(tmp_path):
    with pytest.raises(errors.BundleTooLarge):
        unpack(stream(tar(("big", bytes(50_000_000)))), tmp_path, LIMITS)
    assert sum(map(len, tree(tmp_path).values())) <= LIMITS.max_tree_bytes
    with pytest.raises(errors.BundleTooLarge) as caught:
        unpack(stream(tar(*((f"f{number}", b"") for number in range(50)))), tmp_path, LIMITS)
    assert "files" in caught.value.detail


@pytest.mark.parametrize(
    "content",
    [b"", b"not a tar", gzip.compress(b"not a tar"), tar(("a", b"1" * 5000))[:60]],
    ids=["empty", "text", "gzip of text", "cut"],
)
def test_what_is_cut_or_no_archive_is_a_source_that_is_unavailable(tmp_path, content):
    with pytest.raises(errors.SourceUnavailable):
        unpack(stream(content), tmp_path, LIMITS)


def test_a_line_that_breaks_is_a_source_that_is_unavailable_and_its_words_stay_in_the_log(tmp_path):
    content = tar(("a", bytes(range(256)) * 30), gz=False)
    with pytest.raises(errors.SourceUnavailable) as caught:
        unpack(stream(content, fails_at=2000), tmp_path, LIMITS)
    assert "secret" in caught.value.reason
    assert "secret" not in caught.value.detail


names = st.text(st.sampled_from("ab/.\\\x00 \u00e9\n-"), min_size=1, max_size=12)
entries = st.one_of(
    st.tuples(names, st.binary(max_size=3000)),
    st.tuples(names, st.sampled_from([LINK, HARD]), names),
    st.tuples(names, st.sampled_from([DEVICE, FIFO, FOLDER])),
)


@given(st.lists(entries, max_size=6), st.integers(0, 4000), st.booleans())
def test_whatever_comes_it_stays_inside_and_the_error_is_of_the_tree(made, cut, is_cut):
    try:
        content = tar(*made)
    except (tarfile.TarError, ValueError, UnicodeError):
        return
    with tempfile.TemporaryDirectory() as above:
        folder = Path(above, "a/b")
        folder.mkdir(parents=True)
        with contextlib.suppress(errors.UnsafeBundle, errors.BundleTooLarge, errors.SourceUnavailable):
            unpack(stream(content[:cut] if is_cut else content), folder, LIMITS)
        assert {path.relative_to(above).parts[:2] for path in Path(above).rglob("*")} <= {("a",), ("a", "b")}
