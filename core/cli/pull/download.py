"""Downloads a plugin's archive, and goes on where a line was cut."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from ..client import Client, Refused, Unreached, problem_of

_TRIES = 5
MAX_ARCHIVE = 1024 * 1024 * 1024
"""Bytes of an archive; the service's own limit for a tree is far below that."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What the service says of the archive: the tree's digest."""

    digest: str


def download(client: Client, workspace: str, name: str, source: str | None, archive: Path) -> Pulled:
    """Write the archive to `archive`. A cut line is taken up again where it broke, as long as the bytes are the same.

    Raises `Refused`, and `Unreached` where no answer comes or the line breaks five times.
    """
    import httpx

    path = f"/workspaces/{quote(workspace, safe='')}/plugins/{quote(name, safe='')}/download"
    path += f"?source={quote(source, safe='')}" if source else ""
    etag: str | None = None
    with archive.open("wb") as out, _progress(name) as advance:
        for attempt in range(_TRIES):
            headers = {"Range": f"bytes={out.tell()}-", "If-Range": etag} if etag and out.tell() else {}
            try:
                with client.http.stream("GET", path, headers=headers | {"Accept-Encoding": "identity"}) as reply:
                    if reply.is_error:
                        reply.read()
                        raise Refused(reply.status_code, problem_of(reply.content, reply.status_code))
                    if reply.status_code != 206:
                        out.seek(0)
                        out.truncate()
                    etag = reply.headers.get("etag")
                    _write(reply, out, advance)
                    return Pulled(reply.headers.get("x-plugin-digest", ""))
            except httpx.HTTPError as error:
                if attempt + 1 == _TRIES:
                    raise Unreached(f"{client.url} does not answer, or the line breaks") from error
    raise Unreached(f"{client.url} does not answer")


def _write(reply: Any, out: BinaryIO, advance: Callable[[int, int | None], None]) -> None:
    length = reply.headers.get("content-length", "")
    total = out.tell() + int(length) if length.isdigit() else None
    for chunk in reply.iter_raw(1 << 16):
        out.write(chunk)
        if out.tell() > MAX_ARCHIVE:
            raise Refused(413, {"title": "The archive is too large"})
        advance(out.tell(), total)


class _progress:  # noqa: N801 - used as a function
    """A bar on standard error where that is a terminal; nothing elsewhere."""

    def __init__(self, name: str) -> None:
        self._name, self._bar = name, None if not sys.stderr.isatty() else self._make()

    @staticmethod
    def _make() -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        return Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=Console(stderr=True))

    def __enter__(self) -> Callable[[int, int | None], None]:
        if self._bar is None:
            return lambda _done, _total: None
        bar = self._bar
        bar.start()
        task = bar.add_task(self._name, total=None)
        return lambda done, total: bar.update(task, completed=done, total=total)

    def __exit__(self, *_: Mapping[str, object] | object) -> None:
        if self._bar is not None:
            self._bar.stop()
