"""The backend `docker`: plugins into running containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...hookspecs import Bundle, InstalledPlugin, Receipt, Removal, RunState, StartupContext, Workspace, hookimpl
from ...hookspecs.errors import BackendUnavailable
from ..extras import needs

if TYPE_CHECKING:
    from .work import DockerWork

needs("docker")
_RESTART_SECONDS = 3
"""How long a restarted container may take to end by itself; `PLUGPORT_DOCKER_RESTART_SECONDS` says otherwise."""


class DockerBackend:
    """The hooks. docker-py is imported when the service starts, and not when somebody looks which providers there
    are."""

    backend = "docker"

    def __init__(self) -> None:
        self._work: DockerWork | None = None

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        """Take the config dirs by runtime that the service was given. Nobody is asked yet."""
        from .work import DockerWork

        restart_seconds = int(context.settings.get("restart_seconds", _RESTART_SECONDS))
        self._work = DockerWork(dict(context.service.config_dirs), restart_seconds)

    @hookimpl
    def shutdown(self) -> None:
        """Close the clients."""
        work, self._work = self._work, None
        if work is not None:
            work.close()

    @hookimpl
    async def is_running(self, workspace: Workspace) -> RunState:
        """What the engine says, by the one helper."""
        return await self.work.is_running(workspace)

    @hookimpl
    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        """One command, with the bundle on its input, that checks what came and puts it there."""
        return await self.work.deliver(workspace, bundle)

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Take the plugin away. Raises `UnsupportedTarget` in an image without a shell."""
        return await self.work.uninstall(workspace, removal)

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """What lies in the container."""
        return await self.work.list_installed(workspace)

    @hookimpl
    async def restart(self, workspace: Workspace) -> None:
        """Restart the container. Raises `UnsupportedTarget` where that would lose what a tmpfs holds."""
        await self.work.restart(workspace)

    @property
    def work(self) -> DockerWork:
        """What `startup` made. Raises `BackendUnavailable` before it, and after `shutdown`."""
        if self._work is None:
            raise BackendUnavailable("the backend was not started")
        return self._work
