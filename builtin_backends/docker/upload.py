"""Uploads a tar into a container, in large pieces, and can be told to stop."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from typing import BinaryIO

from .engine import Client
from .errors import understood

_CHUNK = 1 << 20


class Stopped(Exception):
    """Raised in the uploading thread when nobody waits for it any more."""


class _Pieces:
    """The body of the request: its length is told, so it is sent as it is; a flag ends it between two pieces."""

    def __init__(self, stream: BinaryIO, stop: threading.Event) -> None:
        self._stream, self._stop = stream, stop
        self._size = stream.seek(0, io.SEEK_END)
        stream.seek(0)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._stream.read(_CHUNK):
            if self._stop.is_set():
                raise Stopped
            yield chunk


async def upload(client: Client, container: str, folder: str, stream: BinaryIO) -> None:
    """Unpack the tar in the container's folder; owners and modes are those of the archive.

    That the engine took it is no delivery: what arrived must be read back. Raises `TargetMissing`,
    `DeliveryFailed`, `WorkspaceNotRunning`, `BackendUnavailable` and `DeliveryTimeout`; what came before a failure
    may lie in the folder.
    """
    stop = threading.Event()

    def work() -> None:
        with understood():
            client.api().put_archive(container, folder, _Pieces(stream, stop))

    try:
        await client.run(work)
    except asyncio.CancelledError:
        stop.set()
        raise
