"""Bundles whose stream fails at a chosen byte: it raises, ends, hangs, or calls a function."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, cast

from ..values.bundle import Bundle, TreeEntry, pack
from .runner import SECRET


class FaultPoint(StrEnum):
    """Where in a delivery a fault is injected, by how much of the stream was read."""

    START = "start"
    HALF = "half"
    END = "end"

    def is_reached(self, position: int, size: int) -> bool:
        """Tell whether a read at `position` in a stream of `size` bytes has come this far."""
        return position >= {"start": 0, "half": size // 2, "end": size}[self.value]


class Fault(StrEnum):
    """What the stream does there."""

    RAISES = "raises"
    HALF_A_FILE = "half-a-file"
    HANGS = "hangs"
    CANCELLED = "cancelled"


def bundle_of(
    folder: Path, name: str, files: Mapping[str, bytes], executable: frozenset[str] = frozenset()
) -> Bundle:
    """Pack these files (path to bytes) into a bundle. Its archive lies in `folder`."""
    origins = folder / f"{name}.files"
    origins.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, (path, content) in enumerate(files.items()):
        origin = origins / str(number)
        origin.write_bytes(content)
        entries.append(TreeEntry(path, origin, path in executable))
    return pack(name, entries, folder / f"{name}.tar")


@dataclass(frozen=True, slots=True)
class WatchedBundle(Bundle):
    """A bundle whose streams call `on_read(position, size)` before every read, in the thread that reads."""

    on_read: Callable[[int, int], None] = lambda position, size: None

    def open_tar(self, prefix: str = "") -> BinaryIO:
        """See `Bundle.open_tar`. The stream has no file descriptor, so that every read is seen, and a read may bring
        less than was asked for."""
        opened = Bundle.open_tar(self, prefix)
        size = opened.seek(0, io.SEEK_END)
        opened.seek(0)
        return cast("BinaryIO", _WatchedStream(opened, size, self.on_read))


def watch_reads(bundle: Bundle, on_read: Callable[[int, int], None]) -> Bundle:
    """Return the bundle as a `WatchedBundle`."""
    return WatchedBundle(**{field.name: getattr(bundle, field.name) for field in fields(Bundle)}, on_read=on_read)


class FaultInjector:
    """An `on_read` that injects the fault when the stream is read at the point.

    `injected` is set then, in the reader's thread. A stream that hangs goes on when `released` is set.
    """

    def __init__(self, fault: Fault, point: FaultPoint) -> None:
        self._fault, self._point = fault, point
        self._made_in = threading.get_ident()
        self.injected = threading.Event()
        self.released = threading.Event()

    def __call__(self, position: int, size: int) -> None:
        """Inject the fault if it is time."""
        if self.released.is_set() or not self._point.is_reached(position, size):
            return
        self.injected.set()
        if self._fault is Fault.RAISES:
            raise OSError(f"the stream broke: {SECRET} in /srv/private/{SECRET}")
        if self._fault is Fault.HALF_A_FILE:
            raise EOFError
        if threading.get_ident() != self._made_in:  # a wait on the loop's own thread would never end
            self.released.wait(60)
        raise OSError("the stream was given up")


class _WatchedStream(io.RawIOBase):
    def __init__(self, opened: BinaryIO, size: int, on_read: Callable[[int, int], None]) -> None:
        self._opened, self._size, self._on_read = opened, size, on_read
        self._ended = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._opened.seek(offset, whence)

    def tell(self) -> int:
        return self._opened.tell()

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        if self._ended:
            return 0
        position = self._opened.tell()
        try:
            self._on_read(position, self._size)
        except EOFError:
            self._ended = True
            return 0
        view = memoryview(buffer).cast("B")
        if position < self._size // 2:  # a read ends at the half, however much was asked for
            view = view[: self._size // 2 - position]
        chunk = self._opened.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._opened.close()
        super().close()
