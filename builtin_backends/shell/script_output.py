"""Parses what the scripts print."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import NamedTuple

from ...hookspecs.errors import BackendUnavailable


class HashedFile(NamedTuple):
    """A file's path and the hex digest of its content."""

    path: str
    sha256: str


def hash_lines(output: bytes) -> Iterator[HashedFile]:
    """Yield the file of each line of `sha256sum`. A line that starts with a backslash has its path escaped."""
    for line in output.split(b"\n"):
        sha256, separator, path = line.removeprefix(b"\\").partition(b"  ")
        if separator and len(sha256) == 64:
            if line.startswith(b"\\"):
                path = path.replace(b"\\n", b"\n").replace(b"\\r", b"\r").replace(b"\\\\", b"\\")
            yield HashedFile(path.decode("utf-8", "surrogateescape"), sha256.decode("ascii"))


def tar_files(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each regular file of a tar. Raises `BackendUnavailable` if the tar is broken."""
    if not archive.strip(b"\0"):
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as opened:
            for member in opened:
                if member.isfile() and (content := opened.extractfile(member)) is not None:
                    yield member.name.removeprefix("./"), content.read()
    except tarfile.TarError as error:
        raise BackendUnavailable("the target's answer is cut or broken") from error
