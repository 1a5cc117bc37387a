"""Uploads a tar into a container, in large pieces, and stops if it is cancelled."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from typing import BinaryIO

from .engine import Client
from .errors import translate_errors

_CHUNK = 1 << 20


class UploadCancelled(Exception):
    """Raised in the uploading thread if the upload was cancelled."""


class _Body:
    """The body of the request. It has a length, so requests sends it unchunked; a flag ends it between two pieces."""

    def __init__(self, stream: BinaryIO, cancelled: threading.Event) -> None:
        self._stream, self._cancelled = stream, cancelled
        self._size = stream.seek(0, io.SEEK_END)
        stream.seek(0)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._stream.read(_CHUNK):
            if self._cancelled.is_set():
                raise UploadCancelled
            yield chunk


async def upload(client: Client, container: str, folder: str, stream: BinaryIO) -> None:
    """Unpack the tar in the container's folder, with the owners and modes of the archive.

    A success does not prove the delivery: the engine accepts an archive that is cut, so read it back. Raises
    `PathMissing`, `DeliveryFailed`, `WorkspaceNotRunning`, `BackendUnavailable` and `DeliveryTimeout`. After that
    a part of the archive may lie in the folder.
    """
    cancelled = threading.Event()

    def put_archive() -> None:
        with translate_errors():
            client.api().put_archive(container, folder, _Body(stream, cancelled))

    try:
        await client.in_thread(put_archive)
    except asyncio.CancelledError:
        cancelled.set()
        raise
