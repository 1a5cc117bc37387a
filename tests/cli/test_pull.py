"""`plugport pull` checks what came before it touches the old version, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from dataclasses import dataclass

import pytest
from support.delivered import tree

from plugport.core.cli.pull.keep import EditedFiles, Kept
from plugport.core.cli.pull.unpack import PullFailed, Staging
from plugport.hookspecs import tree_digest


@dataclass
class _File:
    path: str
    sha256: str


def _archive(members: list[tarfile.TarInfo | tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return stream.getvalue()


def _digest(files: dict[str, bytes]) -> str:
    return tree_digest([_File(path, hashlib.sha256(content).hexdigest()) for path, content in files.items()])


def _pull(into, archive: bytes, digest: str) -> None:
    with Staging(into, "p") as staging:
        staging.archive.write_bytes(archive)
        staging.unpack(digest)
        staging.swap()


NEW = {"a": b"new", "b/c": b"new"}
GOOD = _archive(list(NEW.items()))


@pytest.fixture
def into(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p/a").write_bytes(b"old")
    return tmp_path


def test_a_new_version_takes_the_old_ones_place(into):
    _pull(into, GOOD, _digest(NEW))
    assert tree(into / "p") == NEW
    assert os.listdir(into) == ["p"]


def test_an_old_version_of_any_depth_goes(into):
    deep = into / "p"
    for _ in range(60):
        deep /= "a-name-of-twenty-byt"
    deep.mkdir(parents=True)
    here = os.open(deep, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    _pull(into, GOOD, _digest(NEW))
    assert os.listdir(into) == ["p"]


def _special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(GOOD[: len(GOOD) // 2], id="half"),
        pytest.param(GOOD[:20], id="beginning"),
        pytest.param(b"", id="empty"),
        pytest.param(b"not gzip", id="not-gzip"),
        pytest.param(_archive([("a", b"other")]), id="other-content"),
        pytest.param(_archive([("../outside", b"x")]), id="path-outside"),
        pytest.param(_archive([("/etc/outside", b"x")]), id="absolute-path"),
        pytest.param(_archive([_special("a", tarfile.SYMTYPE, "/etc/passwd")]), id="symbolic-link"),
        pytest.param(_archive([_special("a", tarfile.LNKTYPE, "../p/a")]), id="hard-link"),
        pytest.param(_archive([_special("a", tarfile.FIFOTYPE)]), id="fifo"),
        pytest.param(_archive([("a", b"new"), ("a", b"new"), ("b/c", b"new")]), id="file-twice"),
    ],
)
def test_a_wrong_archive_leaves_the_old_version(into, archive):
    with pytest.raises(PullFailed):
        _pull(into, archive, _digest(NEW))
    assert tree(into) == {"p/a": b"old"}
    assert os.listdir(into) == ["p"]


def test_what_a_crash_left_is_repaired(into):
    (into / "p").rename(into / ".pulled-old-p")
    (into / ".pull-p-x").mkdir()
    with pytest.raises(PullFailed):
        _pull(into, b"", "")
    assert tree(into) == {"p/a": b"old"}


def test_without_an_atomic_exchange_two_renames_do(into, monkeypatch):
    monkeypatch.setattr("plugport.core.cli.pull.unpack._exchange", lambda first, second: False)
    _pull(into, GOOD, _digest(NEW))
    assert tree(into / "p") == NEW
    assert os.listdir(into) == ["p"]


@pytest.mark.parametrize("name", ["..", "a/b", "", ".x"])
def test_an_invalid_name_is_refused(tmp_path, name):
    with pytest.raises(PullFailed):
        Staging(tmp_path, name)


class TestEditedFiles:
    """What somebody edited is set aside when the next version comes."""

    def pull(self, into, notes, files: dict[str, bytes], most_files: int = 1000, most_bytes: int = 1 << 20):
        edited = EditedFiles(into, "p", notes, most_files, most_bytes)
        with Staging(into, "p") as staging:
            staging.archive.write_bytes(_archive(list(files.items())))
            pulled = staging.unpack(_digest(files))
            kept = edited.set_aside(pulled)
            staging.swap()
        edited.note(pulled)
        return kept

    @pytest.fixture
    def notes(self, tmp_path_factory):
        return tmp_path_factory.mktemp("data") / "pulled"

    def test_nothing_is_set_aside_if_nothing_was_edited(self, tmp_path, notes):
        for files in (NEW, NEW, {"a": b"newer"}, NEW):
            assert self.pull(tmp_path, notes, files) == Kept()
        assert os.listdir(tmp_path) == ["p"]

    def test_edited_and_added_files_and_links_are_set_aside_with_their_bytes(self, tmp_path, notes):
        self.pull(tmp_path, notes, NEW)
        (tmp_path / "p/a").write_bytes(b"edited")
        (tmp_path / "p/b/notes.md").write_bytes(b"mine")
        (tmp_path / "p/link").symlink_to("/nowhere")
        kept = self.pull(tmp_path, notes, {"a": b"newer"})
        assert sorted(kept.files) == ["p/a", "p/b/notes.md", "p/link"]
        (place,) = kept.places
        assert place.startswith(".plugport/kept/p/")
        assert (tmp_path / place / "a").read_bytes() == b"edited"
        assert (tmp_path / place / "b/notes.md").read_bytes() == b"mine"
        assert os.readlink(tmp_path / place / "link") == "/nowhere"
        assert tree(tmp_path / "p") == {"a": b"newer"}
        assert self.pull(tmp_path, notes, NEW) == Kept()

    def test_without_a_note_all_that_is_not_in_the_new_version_is_set_aside(self, into, notes):
        assert self.pull(into, notes, {"a": b"old"}) == Kept()
        (into / "p/b").write_bytes(b"mine")
        for note in notes.iterdir():
            note.write_text("no JSON")
        assert self.pull(into, notes, NEW).files == ("p/a", "p/b")

    def test_the_oldest_go_first_and_are_named(self, tmp_path, notes):
        places = []
        for number in range(4):
            self.pull(tmp_path, notes, NEW)
            (tmp_path / "p/a").write_bytes(b"%d" % number)
            kept = self.pull(tmp_path, notes, NEW, most_files=2)
            places += kept.places
            os.utime(tmp_path / kept.places[0], (number, number))
            assert kept.dropped == tuple(places[number - 2 : number - 1]) * (number >= 2)
        assert sorted(path.name for path in (tmp_path / ".plugport/kept/p").iterdir()) == sorted(
            place.rpartition("/")[2] for place in places[2:]
        )

    def test_what_cannot_be_set_aside_stays_where_it_is(self, tmp_path, notes):
        self.pull(tmp_path, notes, NEW)
        (tmp_path / "p/a").write_bytes(b"edited")
        (tmp_path / ".plugport").mkdir()
        (tmp_path / ".plugport/kept").write_text("in the way")
        with pytest.raises(PullFailed, match="kept cannot be written"):
            self.pull(tmp_path, notes, {"a": b"newer"})
        assert (tmp_path / "p/a").read_bytes() == b"edited"
