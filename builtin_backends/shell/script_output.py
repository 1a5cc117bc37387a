"""Parses what the scripts print: fields that end in NUL, so that no name on a target can imitate their frame."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...hookspecs.errors import BackendUnavailable

_HEX_LENGTH: Final = 64
_LINE_OVERHEAD: Final = _HEX_LENGTH + len("  \n")


class HashedFile(NamedTuple):
    """A file's path and the hex digest of its content."""

    path: str
    sha256: str


class Fields:
    """A script's output, read from the front. Raises `BackendUnavailable` if it is cut or broken."""

    def __init__(self, output: bytes) -> None:
        self._output, self._position = output, 0

    def next(self) -> bytes:
        """Return the bytes before the next NUL."""
        end = self._output.find(b"\0", self._position)
        if end < 0:
            raise BackendUnavailable("the target's answer is cut")
        field, self._position = self._output[self._position : end], end + 1
        return field

    def until_empty(self) -> Iterator[bytes]:
        """Yield the fields before the next empty one."""
        while field := self.next():
            yield field

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        end = self._position + size
        if end > len(self._output):
            raise BackendUnavailable("the target's answer is cut")
        content, self._position = self._output[self._position : end], end
        return content

    def rest(self) -> bytes:
        """Return all that follows."""
        content, self._position = self._output[self._position :], len(self._output)
        return content

    def at_end(self) -> bool:
        """Tell whether nothing follows."""
        return self._position >= len(self._output)

    def hashed_files(self) -> Iterator[HashedFile]:
        """Yield the files of a tree: lines of `sha256sum`, then the files whose names such a line cannot hold."""
        yield from hash_lines(self.next())
        for field in self.until_empty():
            if field.startswith(b"\\"):
                line, _, path = field[1:].partition(b"\n")
            else:  # this sha256sum escapes nothing: its line has the path, and then the path follows
                line, path = field, field[len(field) - (len(field) - _LINE_OVERHEAD) // 2 :]
            yield HashedFile(decode(path), line[:_HEX_LENGTH].decode("ascii", "replace"))


def hash_lines(output: bytes) -> Iterator[HashedFile]:
    """Yield the file of each line of `sha256sum`. The paths hold no newline and no backslash."""
    for line in output.split(b"\n"):
        sha256, separator, path = line.partition(b"  ")
        if separator and len(sha256) == _HEX_LENGTH:
            yield HashedFile(decode(path), sha256.decode("ascii", "replace"))


def tar_files(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each regular file of a tar. Raises `BackendUnavailable` if the tar is broken."""
    if not archive.strip(b"\0"):
        return
    try:
        with tarfile.open(
            fileobj=io.BytesIO(archive), mode="r:", encoding="utf-8", errors="surrogateescape"
        ) as opened:
            for member in opened:
                if member.isfile() and (content := opened.extractfile(member)) is not None:
                    yield member.name.removeprefix("./"), content.read()
    except (tarfile.TarError, ValueError) as error:
        raise BackendUnavailable("the target's answer is cut or broken") from error


def decode(name: bytes) -> str:
    """Return a name on a target as text that `encode` turns back into the same bytes."""
    return name.decode("utf-8", "surrogateescape")


def encode(name: str) -> bytes:
    """Return the bytes of a name on a target."""
    return name.encode("utf-8", "surrogateescape")


def printable(name: str) -> str:
    """Return a name as it is shown: what is not UTF-8, and control characters, are escaped with a backslash."""
    text = name.encode("utf-8", "backslashreplace").decode()
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == " " else character.encode("unicode_escape").decode()
        for character in text
    )
