"""Runs the application on uvicorn, and says where it listens once it does."""

from __future__ import annotations

import uvicorn

from ..app import create_app
from ..settings import Settings

_GRACEFUL_SECONDS = 10


class _Announcing(uvicorn.Server):
    """A server that prints its address when it is ready, as one line on standard output."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Start, then tell."""
        await super().startup(sockets)  # type: ignore[arg-type]
        for server in getattr(self, "servers", ()):
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                shown = f"[{host}]" if ":" in host else host
                print(f"plugport: serving on http://{shown}:{port}", flush=True)
                return


def serve(settings: Settings) -> bool:
    """Serve until SIGINT or SIGTERM; whether the service had started."""
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
    server = _Announcing(config)
    server.run()
    return bool(server.started)
