"""Bundles whose stream does at some byte what a bad day brings: raises, ends, hangs, or sets something off."""

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


class Step(StrEnum):
    """Where in a delivery a fault strikes: by how much of the stream was read."""

    START = "start"
    HALF = "half"
    END = "end"


class Fault(StrEnum):
    """What the stream does there."""

    RAISES = "raises"
    HALF_A_FILE = "half-a-file"
    HANGS = "hangs"
    CANCELLED = "cancelled"


def bundle_of(
    folder: Path, name: str, files: Mapping[str, bytes], executable: frozenset[str] = frozenset()
) -> Bundle:
    """A bundle of these files. Its archive lies in `folder`."""
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
    """A bundle whose streams report to `on_read(position, size)` before every read, in the reader's own thread."""

    on_read: Callable[[int, int], None] = lambda position, size: None

    def open_tar(self, prefix: str = "") -> BinaryIO:
        """See `Bundle.open_tar`. The stream has no file descriptor, so that whoever reads it is seen, and a read may
        bring less than was asked for."""
        opened = Bundle.open_tar(self, prefix)
        size = opened.seek(0, io.SEEK_END)
        opened.seek(0)
        return cast("BinaryIO", _Watched(opened, size, self.on_read))


def watched(bundle: Bundle, on_read: Callable[[int, int], None]) -> Bundle:
    """The bundle, watched."""
    given = {one.name: getattr(bundle, one.name) for one in fields(Bundle)}
    return WatchedBundle(**given, on_read=on_read)


class Trap:
    """Does what the fault says when the stream is read at the step; `struck` is set then, in the reader's thread."""

    def __init__(self, fault: Fault, step: Step) -> None:
        self._fault, self._step = fault, step
        self._made_in = threading.get_ident()
        self.struck = threading.Event()
        self.released = threading.Event()

    def __call__(self, position: int, size: int) -> None:
        """Called before every read."""
        at = {Step.START: 0, Step.HALF: size // 2, Step.END: size}[self._step]
        if position < at or self.released.is_set():
            return
        self.struck.set()
        if self._fault is Fault.RAISES:
            raise OSError(f"the stream broke: {SECRET} in /srv/private/{SECRET}")
        if self._fault is Fault.HALF_A_FILE:
            raise EOFError
        if threading.get_ident() != self._made_in:  # on the loop it would be waited for by nobody
            self.released.wait(60)
        raise OSError("the stream was given up")


class _Watched(io.RawIOBase):
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
        if position < self._size // 2:  # so that somebody is asked at the half, whatever the reader's appetite
            view = view[: self._size // 2 - position]
        chunk = self._opened.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._opened.close()
        super().close()
