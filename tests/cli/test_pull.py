"""`plugport pull` checks what came before it touches the old version, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from dataclasses import dataclass

import pytest
from support.delivered import tree

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
