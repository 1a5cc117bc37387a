"""What the hooks of `docker` do, through docker-py."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from pathlib import PurePosixPath

from ...hookspecs import Bundle, InstalledPlugin, Receipt, Removal, RunState, RunStateKind, Workspace
from ...hookspecs.errors import (
    BackendUnavailable,
    DeliveryFailed,
    PlugportError,
    UnsupportedTarget,
    WorkspaceNotRunning,
)
from ..shell import install as installing
from ..shell import listing
from ..shell import uninstall as uninstalling
from . import shellless as without_shell
from .channel import DockerChannel
from .engine import DELIVERIES, Engine
from .errors import understood
from .keyed_lock import Turns
from .running import Container
from .states import Asking

CONFIG_DIR = "/configs"
_TOOLS = "find sort xargs sha256sum tar mktemp"


class DockerWork:
    """Delivers into the container of the workspace. An engine that is away is asked again with each call."""

    def __init__(self, config_dirs: Mapping[str, str], restart_seconds: int) -> None:
        self.engine = Engine()
        self._asking = Asking(self.engine)
        self._config_dirs, self._restart_seconds = config_dirs, restart_seconds
        self._slots = asyncio.Semaphore(DELIVERIES)
        self._turns = Turns()
        self._has_shell: dict[str, bool] = {}

    def close(self) -> None:
        """Close the clients."""
        self.engine.close()

    async def is_running(self, workspace: Workspace) -> RunState:
        """What the engine says, by the one helper."""
        return (await self._asking.state(workspace.container_name)).state

    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        """One command, with the bundle on its input, that checks what came and puts it there."""
        async with self._turns.of(workspace.container_name), self._slots:
            found, identity, channel = await self._reach(workspace)
            config_dir = self._config_dir(workspace)
            mount = found.mount_of(f"{config_dir}/plugins")
            if (mount is not None and not mount.writable) or (mount is None and found.read_only):
                raise DeliveryFailed(f"{config_dir} is read-only")
            if await self._shell(workspace, found, channel):
                return await self._with_shell(workspace, installing.install(channel, config_dir, bundle))
            if mount is not None and mount.tmpfs:
                raise DeliveryFailed("an upload into a tmpfs cannot be seen in the container, which has no shell")
            return await without_shell.install(self.engine.deliveries, identity, config_dir, bundle)

    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Take the plugin away. Raises `UnsupportedTarget` in an image without a shell."""
        found, _, channel = await self._reach(workspace)
        if not await self._shell(workspace, found, channel):
            raise UnsupportedTarget(
                "the image has no shell, or one of the tools is missing, so nothing can be deleted in it"
            )
        work = uninstalling.uninstall(channel, self._config_dir(workspace), removal)
        return await self._with_shell(workspace, work)

    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """What lies in the container."""
        found, identity, channel = await self._reach(workspace)
        config_dir = self._config_dir(workspace)
        try:
            if await self._shell(workspace, found, channel):
                return await listing.list_installed(channel, config_dir)
            return await without_shell.list_installed(self.engine.deliveries, identity, config_dir)
        except DeliveryFailed as error:
            raise BackendUnavailable(error.reason) from error

    async def restart(self, workspace: Workspace) -> None:
        """Restart the container. Raises `UnsupportedTarget` where that would lose what a tmpfs holds."""
        found, identity, _ = await self._reach(workspace)
        mount = found.mount_of(f"{self._config_dir(workspace)}/plugins")
        if mount is not None and mount.tmpfs:
            raise UnsupportedTarget("a restart would empty the tmpfs that the plugins lie in")

        def work() -> None:
            with understood():
                self.engine.deliveries.api().restart(identity, timeout=self._restart_seconds)

        try:
            await self.engine.deliveries.run(work)
        except PlugportError as error:
            if isinstance(error, WorkspaceNotRunning | BackendUnavailable):
                raise
            raise BackendUnavailable(error.reason) from error

    async def _reach(self, workspace: Workspace) -> tuple[Container, str, DockerChannel]:
        """The running container and the way into it. Raises `WorkspaceNotRunning` and `BackendUnavailable`."""
        found = await self._asking.in_full(workspace.container_name)
        if found.state.kind is RunStateKind.UNKNOWN:
            raise BackendUnavailable(found.state.reason or "the engine did not say")
        if found.state.kind is RunStateKind.STOPPED or found.identity is None:
            raise WorkspaceNotRunning(f"the container {workspace.container_name} does not run")
        return found, found.identity, DockerChannel(self.engine.deliveries, found.identity)

    async def _shell(self, workspace: Workspace, found: Container, channel: DockerChannel) -> bool:
        """Whether the image has a shell with the tools that the scripts want; each image is tried once."""
        image = found.image or ""
        if image not in self._has_shell:
            tried = await channel.run(["sh", "-c", f"for tool in {_TOOLS}; do command -v $tool || exit 1; done"])
            if tried.exit_code != 0:
                await self._reach(workspace)  # a container that just ended answers like one without a shell
            self._has_shell[image] = tried.exit_code == 0
        return self._has_shell[image]

    async def _with_shell(self, workspace: Workspace, work: Awaitable[Receipt]) -> Receipt:
        """Work in a container that is known to have a shell: when a command cannot be run there, it is gone."""
        try:
            return await work
        except UnsupportedTarget as error:
            await self._reach(workspace)
            raise DeliveryFailed(error.reason) from error

    def _config_dir(self, workspace: Workspace) -> str:
        """The workspace's option, else its runtime's setting, else /configs. Raises `WorkspaceNotRunning`."""
        given = workspace.options.get("config_dir")
        path = given if isinstance(given, str) else self._config_dirs.get(workspace.runtime_name or "", CONFIG_DIR)
        if not PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise WorkspaceNotRunning("the option `config_dir` is not an absolute path")
        return path.rstrip("/") or "/"
