"""Runs the application on uvicorn, and prints its address when it is ready."""

from __future__ import annotations

import uvicorn

from ..app import create_app
from ..settings import Settings

_GRACEFUL_SECONDS = 10


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
    """Serve until SIGINT or SIGTERM, and return whether the service had started."""
    config = uvicorn.Config(
        create_app(settings),
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
    server.run()
    return bool(server.started)
