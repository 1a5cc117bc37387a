"""Downloads a plugin's archive, and resumes if the connection breaks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..address import address
from ..client import Client, Refused, Unreachable, problem_document

if TYPE_CHECKING:
    import httpx

_ATTEMPTS = 5
MAX_ARCHIVE_BYTES = 1024 * 1024 * 1024
"""The service's own limit for a tree is far below that."""

Report = Callable[[int, "int | None"], None]


def download(client: Client, workspace: str, name: str, source: str | None, archive: Path) -> tuple[str, str]:
    """Write the archive to `archive` and return the tree's digest and the workspace's layout as the service names
    them.

    If the connection breaks, the download resumes where it stopped, provided that the archive is still the same.
    Raises `Refused`, and `Unreachable` if no answer comes or the connection breaks five times.
    """
    import httpx

    path = address("workspaces", workspace, "plugins", name, "download", query={"source": source})
    etag: str | None = None
    with archive.open("wb") as out, _progress_bar(name) as report:
        for attempt in range(1, _ATTEMPTS + 1):
            headers = {"Range": f"bytes={out.tell()}-", "If-Range": etag} if etag and out.tell() else {}
            try:
                with client.http.stream("GET", path, headers=headers | {"Accept-Encoding": "identity"}) as reply:
                    if reply.is_error:
                        reply.read()
                        raise Refused(reply.status_code, problem_document(reply.content, reply.status_code))
                    if reply.status_code != 206:
                        out.seek(0)
                        out.truncate()
                    etag = reply.headers.get("etag")
                    _write(reply, out, report)
                    return reply.headers.get("x-plugin-digest", ""), reply.headers.get("x-plugin-layout", "adaptor")
            except httpx.HTTPError as error:
                if attempt == _ATTEMPTS:
                    raise Unreachable(f"{client.url} does not answer, or the connection breaks") from error
    raise AssertionError("the last attempt returns or raises")


def _write(reply: httpx.Response, out: BinaryIO, report: Report) -> None:
    length = reply.headers.get("content-length", "")
    total = out.tell() + int(length) if length.isdigit() else None
    for chunk in reply.iter_raw(1 << 16):
        out.write(chunk)
        if out.tell() > MAX_ARCHIVE_BYTES:
            raise Refused(413, {"title": "The archive is too large"})
        report(out.tell(), total)


@contextmanager
def _progress_bar(name: str) -> Iterator[Report]:
    """Show a progress bar if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _completed, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        yield lambda completed, total: bar.update(task, completed=completed, total=total)
