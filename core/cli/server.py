"""Runs the application on uvicorn, and prints its address when it is ready."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy.exc import DBAPIError

from ...hookspecs.errors import ReadinessFault
from ..app import create_app
from ..disk_space import Unwritable, is_disk_full, require_space
from ..settings import Settings

_GRACEFUL_SECONDS = 10
_ROOM_FOR_DATABASE = 1024 * 1024


class StartFailed(Exception):
    """Raised when the service cannot start for a reason that its operator can change. The text is one line."""


class _Start:
    """The application. Why it did not start is kept in `failure`, not logged as a traceback, if that was foreseen."""

    def __init__(self, app: Callable[..., Awaitable[None]], data_dir: Path) -> None:
        self._app, self._data_dir, self.failure = app, data_dir, ""

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Run the application."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        failed: list[MutableMapping[str, Any]] = []

        async def send_later(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.failed":
                failed.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, send_later)
        except Exception as error:
            self.failure = _foreseen(error, self._data_dir) if failed else ""
            if self.failure:
                await send({"type": "lifespan.startup.failed", "message": ""})
                return
            for message in failed:
                await send(message)
            raise


def _foreseen(error: Exception, data_dir: Path) -> str:
    """Return one line about a start that failed by a disk, a folder or a database; empty for another error."""
    if is_disk_full(error) or (isinstance(error, DBAPIError) and not _has_space(data_dir)):
        return "the disk of the data directory or of the database is full"
    if isinstance(error, DBAPIError):
        reason = str(error.orig).strip().partition("\n")[0]
        return f"the database cannot be used: {reason}. See PLUGPORT_DATA_DIR and PLUGPORT_DATABASE_URL"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be used: {error.strerror}"
    return ""


def _has_space(folder: Path) -> bool:
    try:
        require_space(folder, _ROOM_FOR_DATABASE)
    except Unwritable as error:
        return error.fault is not ReadinessFault.DISK_FULL
    return True


class _AnnouncingServer(uvicorn.Server):
    """A server that prints its address as one line on standard output when it is ready."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Start, then print the address."""
        await super().startup(sockets)  # type: ignore[arg-type]
        addresses = [listener.getsockname() for server in getattr(self, "servers", ()) for listener in server.sockets]
        if addresses:
            host, port = addresses[0][:2]
            print(f"plugport: serving on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def run_server(settings: Settings) -> bool:
    """Serve until SIGINT or SIGTERM, and return whether the service had started.

    Raises `StartFailed` if a disk, a folder or the database cannot be used.
    """
    start = _Start(create_app(settings), settings.data_dir)
    config = uvicorn.Config(
        start,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
    )
    server = _AnnouncingServer(config)
    try:
        server.run()
    finally:  # uvicorn exits by itself if the start fails
        if start.failure:
            raise StartFailed(start.failure)
    return bool(server.started)
