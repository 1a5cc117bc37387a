"""Unpacks the archive that a source downloads, within the service's limits and inside its directory."""

from __future__ import annotations

import lzma
import os
import struct
import tarfile
import zlib
from pathlib import Path
from typing import IO, Final

from .errors import BundleFault, BundleTooLarge, SourceUnavailable, UnsafeBundle
from .values import ServiceSettings
from .values.bundle import MAX_PATH

_BROKEN: Final = (
    *(tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, OverflowError, ValueError, RecursionError),
)
"""What tarfile and the decompressors raise for broken archives."""


def unpack(archive: IO[bytes], destination: Path, limits: ServiceSettings) -> None:
    """Unpack a tar, compressed or not, into the empty directory `destination` while it is read.

    The stream need not be seekable. Nothing is written outside the directory, and no more than the limits allow,
    whatever the archive expands to. Executable files stay executable. Raises `BundleTooLarge`, `UnsafeBundle` (an
    entry leads outside, or is no file, directory or link), and `SourceUnavailable` (the archive is cut or broken, or
    the stream raises `OSError`). May be repeated, in another directory.
    """
    size = count = 0
    try:
        with tarfile.open(fileobj=archive, mode="r|*") as opened:
            for entry in opened:
                size, count = size + max(0, entry.size), count + 1
                if size > limits.max_tree_bytes:
                    raise BundleTooLarge(limits.max_tree_bytes)
                if count > 2 * limits.max_tree_files:  # directories count here, not in the limit
                    raise BundleTooLarge(limits.max_tree_files, "files")
                if len(os.fsencode(entry.name)) > MAX_PATH:
                    raise UnsafeBundle(entry.name.lstrip("/")[:200], BundleFault.NAME)
                _extract(opened, entry, destination)
    except tarfile.SpecialFileError as error:
        raise UnsafeBundle(_name(error), BundleFault.SPECIAL) from error
    except tarfile.FilterError as error:
        raise UnsafeBundle(_name(error), BundleFault.LINK_OUTSIDE) from error
    except _BROKEN as error:
        raise SourceUnavailable(f"the archive cannot be read: {error}") from error


def _extract(opened: tarfile.TarFile, entry: tarfile.TarInfo, destination: Path) -> None:
    try:
        opened.extract(entry, destination, filter="data")
    except (KeyError, RecursionError) as error:  # a hard link to what did not come before it, or to itself
        raise UnsafeBundle(entry.name.lstrip("/")[:200], BundleFault.LINK_BROKEN) from error


def _name(error: tarfile.FilterError) -> str:
    return str(error.tarinfo.name).lstrip("/")[:200]
