"""Bundles: plugins that were fetched, checked and packed; and the digest of a tree."""

from __future__ import annotations

import hashlib
import io
import tarfile
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from ..json import JSON
from .contents import Contents

OWNER: Final = 1000
"""The user and the group that delivered files belong to: the agent's, in every supported image."""

MTIME: Final = 315_532_800
"""1980-01-01, in seconds: one time for every entry, so that a tree always makes the same bytes (tar warns of 0)."""

MAX_PATH: Final = 1024
"""The longest path below a plugin's root in bytes: well below PATH_MAX, since the target adds directories."""

_CHUNK: Final = 1 << 20


class _Hashed(Protocol):
    @property
    def path(self) -> str: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True, slots=True)
class BundleFile:
    """One file of a bundle: `path` below the plugin's root with `/`, `size` in bytes, `sha256` in hex."""

    path: str
    size: int
    executable: bool
    sha256: str


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file to pack: its `path` in the plugin, and the regular file `origin` on this machine that has its bytes."""

    path: str
    origin: Path
    executable: bool


@dataclass(frozen=True, slots=True)
class Bundle:
    """A plugin, ready to be delivered. Its bytes lie in `archive`, a prebuilt tar on this machine.

    `digest` is the tree's (`sha256:<hex>`, see `tree_digest`). `manifest` is the parsed `plugin.yaml`, empty if there
    is none. `revision` is what the source calls this state, or None. `files` are sorted by path, as bytes. `origin`
    is the source without its ref (see `Resolved.origin`), or None. `contents` are what the formats read, or None.
    """

    name: str
    digest: str
    manifest: Mapping[str, JSON]
    revision: str | None
    files: tuple[BundleFile, ...]
    archive: Path
    origin: str | None = None
    contents: Contents | None = None

    @property
    def size(self) -> int:
        """The size of all files together, in bytes."""
        return sum(file.size for file in self.files)

    def open_tar(self, prefix: str = "") -> BinaryIO:
        """Open the bundle as a tar. The caller closes the stream. May be called any number of times.

        GNU format, owner 1000:1000, files 0644 or 0755, directories 0755. With `prefix` (`x` or `x/y`; a closing
        `/` may follow) every name is below it, and the directories of the prefix are listed, too. The stream is
        seekable and never holds more than one header and one read in memory.
        """
        archive = self.archive.open("rb")
        prefix = prefix.strip("/")
        if not prefix:
            return archive
        return io.BufferedReader(_PrefixedTar(archive, self.files, prefix), buffer_size=_CHUNK)

    def read_many(self, paths: Container[str]) -> dict[str, bytes]:
        """Return the bytes of those of its files that are in `paths`, by path, in one pass over the archive."""
        contents: dict[str, bytes] = {}
        with self.archive.open("rb") as archive:
            for file, offset in _offsets(self.files):
                if file.path in paths:
                    archive.seek(offset)
                    contents[file.path] = archive.read(file.size)
        return contents

    def read(self, path: str) -> bytes:
        """Return the bytes of one file. Raises `KeyError` if the bundle has no such file."""
        return self.read_many({path})[path]

    def reader(self) -> BundleReader:
        """Return what reads single files, each without a pass over the others. Takes time for each file: call it
        once."""
        return BundleReader(self.archive, {file.path: (offset, file.size) for file, offset in _offsets(self.files)})


@dataclass(frozen=True, slots=True)
class BundleReader:
    """Reads single files of a bundle. `places` is where each lies in the archive: offset and size, by path."""

    archive: Path
    places: Mapping[str, tuple[int, int]]

    def read(self, path: str) -> bytes:
        """Return the bytes of one file. Raises `KeyError` if the bundle has no such file."""
        return b"".join(self.chunks(path))

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of one file in pieces of at most 1 MiB. Raises `KeyError` as `read` does."""
        offset, left = self.places[path]
        with self.archive.open("rb", buffering=0) as archive:
            archive.seek(offset)
            while left:
                chunk = _read_chunk(archive, left)
                left -= len(chunk)
                yield chunk


def tree_digest(files: Iterable[_Hashed]) -> str:
    """Return the digest of a tree, `sha256:<hex>`: the sha256 of the lines `<sha256 of the file>  ./<path>` of all
    files, sorted by path as bytes. In the tree's directory the same digest comes from

        find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum
    """
    lines = sorted((file.path.encode("utf-8", "surrogateescape"), file.sha256) for file in files)
    whole = hashlib.sha256()
    for path, sha256 in lines:
        whole.update(b"%s  ./%s\n" % (sha256.encode(), path))
    return f"sha256:{whole.hexdigest()}"


def pack(
    name: str,
    entries: Iterable[TreeEntry],
    archive: Path,
    *,
    manifest: Mapping[str, JSON] | None = None,
    revision: str | None = None,
) -> Bundle:
    """Write the entries into `archive` (created or overwritten) and return the bundle.

    Each file is read once. The caller has checked the entries: paths are relative, unique and clean, origins
    are regular files. Raises `OSError` when a file cannot be read, and `ValueError` when one changes its size
    while it is read; the archive is then incomplete and must be deleted by the caller.
    """
    ordered = sorted(entries, key=lambda entry: entry.path.encode())
    files: list[BundleFile] = []
    listed: set[str] = set()
    with archive.open("wb", buffering=_CHUNK) as out:
        for entry in ordered:
            for parent in _parents(entry.path, listed):
                out.write(_header(parent, directory=True))
            with entry.origin.open("rb", buffering=0) as origin:
                size = origin.seek(0, io.SEEK_END)
                origin.seek(0)
                out.write(_header(entry.path, size=size, executable=entry.executable))
                files.append(BundleFile(entry.path, size, entry.executable, _copy(origin, out, size)))
            out.write(_padding(size))
        out.write(_END)
    frozen = tuple(files)
    return Bundle(name, tree_digest(frozen), dict(manifest or {}), revision, frozen, archive)


def with_files(bundle: Bundle, added: Mapping[str, bytes], archive: Path) -> Bundle:
    """Write the bundle with more files into `archive`, and return it. A file that the bundle has stays as it is.

    Blocking. Raises `OSError`; the archive is then incomplete and must be deleted by the caller.
    """
    present = {file.path: file for file in bundle.files}
    new = {path: content for path, content in added.items() if path not in present}
    hashed = [BundleFile(path, len(text), False, hashlib.sha256(text).hexdigest()) for path, text in new.items()]
    files = tuple(sorted((*bundle.files, *hashed), key=lambda file: file.path.encode("utf-8", "surrogateescape")))
    offsets = {file.path: offset for file, offset in _offsets(bundle.files)}
    with archive.open("wb", buffering=_CHUNK) as out, bundle.archive.open("rb", buffering=0) as old:
        for head, file in _headers(files, ""):
            out.write(head)
            if file.path in new:
                out.write(new[file.path])
            else:
                old.seek(offsets[file.path])
                _copy_bytes(old, out, file.size)
            out.write(_padding(file.size))
        out.write(_END)
    return replace(bundle, digest=tree_digest(files), files=files, archive=archive)


def _copy_bytes(origin: io.FileIO, out: BinaryIO, size: int) -> None:
    while size:
        chunk = _read_chunk(origin, size)
        out.write(chunk)
        size -= len(chunk)


def _read_chunk(archive: io.FileIO, left: int) -> bytes:
    chunk = archive.read(min(left, _CHUNK))
    if not chunk:
        raise EOFError("the prebuilt archive is shorter than its bundle says")
    return chunk


_END: Final = bytes(2 * tarfile.BLOCKSIZE)


def _copy(origin: io.FileIO, out: BinaryIO, size: int) -> str:
    hashed = hashlib.sha256()
    left = size
    while left:
        chunk = origin.read(min(left, _CHUNK))
        if not chunk:
            raise ValueError("a file became shorter while it was packed")
        hashed.update(chunk)
        out.write(chunk)
        left -= len(chunk)
    if origin.read(1):
        raise ValueError("a file became longer while it was packed")
    return hashed.hexdigest()


def _header(name: str, *, directory: bool = False, size: int = 0, executable: bool = False) -> bytes:
    info = tarfile.TarInfo(f"{name}/" if directory else name)
    info.type = tarfile.DIRTYPE if directory else tarfile.REGTYPE
    info.size = size
    info.mode = 0o755 if directory or executable else 0o644
    info.uid = info.gid = OWNER
    info.mtime = MTIME
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def _parents(path: str, listed: set[str]) -> Iterator[str]:
    """The directories above `path` that were not listed yet, outermost first."""
    parts = path.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        parent = "/".join(parts[:depth])
        if parent not in listed:
            listed.add(parent)
            yield parent


def _headers(files: Iterable[BundleFile], prefix: str) -> Iterator[tuple[bytes, BundleFile]]:
    """For each file what stands before its bytes: its own header, and those of its new directories."""
    listed: set[str] = set()
    for file in files:
        path = f"{prefix}/{file.path}" if prefix else file.path
        head = b"".join(_header(parent, directory=True) for parent in _parents(path, listed))
        yield head + _header(path, size=file.size, executable=file.executable), file


def _offsets(files: Iterable[BundleFile]) -> Iterator[tuple[BundleFile, int]]:
    """Where each file's bytes begin in an archive without a prefix."""
    position = 0
    for head, file in _headers(files, ""):
        position += len(head)
        yield file, position
        position += file.size + len(_padding(file.size))


@dataclass(frozen=True, slots=True)
class _Segment:
    """A run of the stream: bytes of its own, or a run of the archive."""

    size: int
    head: bytes | None
    offset: int = 0


class _PrefixedTar(io.RawIOBase):
    """The archive under another prefix: new headers, and the files' bytes as they lie in the archive."""

    def __init__(self, archive: BinaryIO, files: tuple[BundleFile, ...], prefix: str) -> None:
        self._archive = archive
        self._segments: list[_Segment] = []
        offsets = _offsets(files)
        for head, file in _headers(files, prefix):
            _, offset = next(offsets)
            self._segments.append(_Segment(len(head), head))
            self._segments.append(_Segment(file.size + len(_padding(file.size)), None, offset))
        if not files:
            listed: set[str] = set()
            head = b"".join(_header(parent, directory=True) for parent in _parents(f"{prefix}/x", listed))
            self._segments.append(_Segment(len(head), head))
        self._segments.append(_Segment(len(_END), _END))
        self._starts = [0, *accumulate(segment.size for segment in self._segments)]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and self._position < self._starts[-1]:
            index = bisect_right(self._starts, self._position) - 1
            filled += self._read_segment(index, view[filled:])
        return filled

    def _read_segment(self, index: int, view: memoryview) -> int:
        segment, within = self._segments[index], self._position - self._starts[index]
        count = min(len(view), segment.size - within)
        if segment.head is not None:
            view[:count] = segment.head[within : within + count]
        else:
            self._archive.seek(segment.offset + within)
            count = self._archive.readinto(view[:count])  # type: ignore[attr-defined]
            if not count:
                raise EOFError("the prebuilt archive is shorter than its bundle says")
        self._position += count
        return count

    def close(self) -> None:
        self._archive.close()
        super().close()
