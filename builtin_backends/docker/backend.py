"""The hooks of the backend `docker`, through docker-py."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable

from ...hookspecs import (
    Answer,
    Bundle,
    Finding,
    InstalledPlugin,
    Question,
    Receipt,
    Removal,
    RunState,
    StartupContext,
    TargetChanges,
    TargetQuery,
    TargetState,
    Workspace,
    hookimpl,
)
from ...hookspecs.errors import (
    DeliveryFailed,
    UnsupportedTarget,
    WorkspaceNotRunning,
)
from ..keyed_lock import KeyedLock
from ..shell import KeepBounds, ShellTarget
from ..shell.channel import unavailable_on_failure
from ..workspace_checks import home_of, require_absolute, require_running
from ..workspace_options import absolute_path, check_options, text
from . import shellless
from .channel import DockerChannel
from .engine import DELIVERIES, Engine
from .errors import translate_errors
from .running import Container
from .states import ContainerStates

CONFIG_DIR = "/configs"
_RESTART_SECONDS = 3
_TOOLS = "find sort xargs sha256sum tar mktemp"


class DockerBackend:
    """Delivers into the workspace's container. It connects at the first call, and again after a failure.

    `startup` comes before every other hook; `LazyBackend` ensures that.
    """

    backend = "docker"

    @hookimpl
    async def startup(self, context: StartupContext) -> None:
        """Read the settings. Raises `ValueError` if `PLUGPORT_DOCKER_RESTART_SECONDS` is not a number."""
        self._restart_seconds = int(context.settings.get("restart_seconds", _RESTART_SECONDS))
        self._config_dirs = dict(context.service.config_dirs)
        self._bounds = KeepBounds.of(context.service)
        self.engine = Engine()
        self._states = ContainerStates(self.engine.queries)
        self._deliveries = asyncio.Semaphore(DELIVERIES)
        self._container_lock = KeyedLock()
        self._has_shell: dict[str, bool] = {}
        self._caller = secrets.token_hex(8)

    @hookimpl
    async def shutdown(self) -> None:
        """Close the clients."""
        self.engine.close()

    @hookimpl
    async def check_workspace(self, workspace: Workspace) -> list[Finding]:
        """Return what is wrong with the options."""
        return check_options(workspace, {"config_dir": absolute_path, "home": absolute_path, "engine": text})

    @hookimpl
    async def is_running(self, workspace: Workspace) -> RunState:
        """Return the engine's answer. See `container_state`."""
        return (await self._states.get(workspace.container_name)).state

    @hookimpl
    async def inspect_target(self, workspace: Workspace, query: TargetQuery) -> TargetState:
        """Return what lies in the container. Raises `UnsupportedTarget` if the image has no shell,
        `WorkspaceNotRunning` and `BackendUnavailable`."""
        container, channel = await self._connect(workspace)
        with unavailable_on_failure():
            if await self._check_shell(workspace, container, channel):
                return await self._shell_target(workspace, channel).inspect(query)
        raise UnsupportedTarget("nothing can be looked at: the image has no shell, or lacks one of the tools")

    @hookimpl
    async def deliver(
        self,
        workspace: Workspace,
        bundle: Bundle,
        known: tuple[str, ...] = (),
        activation: TargetChanges | None = None,
    ) -> Receipt:
        """Deliver by one command that checks the bundle and puts it in place; without a shell, by one archive.

        At most one delivery per container runs at a time. Raises `DeliveryFailed`, `DeliveryTimeout`,
        `WorkspaceNotRunning` and `BackendUnavailable`.
        """
        async with self._container_lock.acquire(workspace.container_name), self._deliveries:
            container, channel = await self._connect(workspace)
            config_dir = self._config_dir(workspace)
            mount = container.mount_of(f"{config_dir}/plugins")
            if (mount is not None and not mount.writable) or (mount is None and container.read_only):
                raise DeliveryFailed(f"{config_dir} is read-only")
            if await self._check_shell(workspace, container, channel):
                return await self._in_shell(
                    workspace, self._shell_target(workspace, channel).deliver(bundle, known, activation)
                )
            if activation:
                raise UnsupportedTarget("nothing can be activated: the image has no shell, or lacks one of the tools")
            if mount is not None and mount.tmpfs:
                raise DeliveryFailed(
                    "the image has no shell, and an upload into a tmpfs is not visible in the container"
                )
            return await shellless.install(self.engine.deliveries, channel.container, config_dir, bundle)

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Remove the plugin. Raises `UnsupportedTarget` if the image has no shell, and what `deliver` raises."""
        container, channel = await self._connect(workspace)
        if not await self._check_shell(workspace, container, channel):
            raise UnsupportedTarget("nothing can be deleted: the image has no shell, or lacks one of the tools")
        return await self._in_shell(workspace, self._shell_target(workspace, channel).uninstall(removal))

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """List the plugins in the container. Raises `WorkspaceNotRunning` and `BackendUnavailable`."""
        container, channel = await self._connect(workspace)
        config_dir = self._config_dir(workspace)
        with unavailable_on_failure():
            if await self._check_shell(workspace, container, channel):
                return await self._shell_target(workspace, channel).list_installed()
            return await shellless.list_installed(self.engine.deliveries, channel.container, config_dir)

    @hookimpl
    async def ask(self, workspace: Workspace, question: Question) -> Answer:
        """Run the agent's own command in the container, as the user that owns the config dir. Raises what
        `inspect_target` raises."""
        container, channel = await self._connect(workspace)
        with unavailable_on_failure():
            if await self._check_shell(workspace, container, channel):
                agent = await channel.as_owner_of(self._config_dir(workspace))
                return await self._shell_target(workspace, agent).ask(question)
        raise UnsupportedTarget("the agent cannot be asked: the image has no shell, or lacks one of the tools")

    @hookimpl
    async def restart(self, workspace: Workspace) -> None:
        """Restart the container. Raises `UnsupportedTarget` if that would empty the tmpfs that holds the plugins,
        `WorkspaceNotRunning` and `BackendUnavailable`."""
        container, channel = await self._connect(workspace)
        mount = container.mount_of(f"{self._config_dir(workspace)}/plugins")
        if mount is not None and mount.tmpfs:
            raise UnsupportedTarget("a restart would empty the tmpfs that holds the plugins")

        def restart_container() -> None:
            with translate_errors():
                self.engine.deliveries.api().restart(channel.container, timeout=self._restart_seconds)

        with unavailable_on_failure():
            await self.engine.deliveries.in_thread(restart_container)

    async def _connect(self, workspace: Workspace) -> tuple[Container, DockerChannel]:
        """Return the running container and its channel. Raises `WorkspaceNotRunning` and `BackendUnavailable`."""
        container = await self._states.inspect(workspace.container_name)
        require_running(container.state, f"the container {workspace.container_name}")
        if container.identity is None:
            raise WorkspaceNotRunning(f"the container {workspace.container_name} does not exist")
        return container, DockerChannel(self.engine.deliveries, container.identity)

    async def _check_shell(self, workspace: Workspace, container: Container, channel: DockerChannel) -> bool:
        """Return whether the image has a shell and the tools that the scripts need. Each image is tried once."""
        image = container.image or ""
        if image not in self._has_shell:
            test = await channel.run(["sh", "-c", f"for tool in {_TOOLS}; do command -v $tool || exit 1; done"])
            if test.exit_code != 0:
                await self._connect(workspace)  # a container that just ended answers like one without a shell
            self._has_shell[image] = test.exit_code == 0
        return self._has_shell[image]

    async def _in_shell(self, workspace: Workspace, script: Awaitable[Receipt]) -> Receipt:
        """Await a script in a container that has a shell. If its command cannot be started, the container is gone."""
        try:
            return await script
        except UnsupportedTarget as error:
            await self._connect(workspace)
            raise DeliveryFailed(error.reason) from error

    def _shell_target(self, workspace: Workspace, channel: DockerChannel) -> ShellTarget:
        config_dir, home = self._config_dir(workspace), home_of(workspace)
        return ShellTarget(channel, config_dir, home=home, bounds=self._bounds, caller=self._caller)

    def _config_dir(self, workspace: Workspace) -> str:
        """Return the workspace's option, else the runtime's setting, else /configs. Raises `WorkspaceNotRunning`."""
        option = workspace.options.get("config_dir")
        if isinstance(option, str):
            return require_absolute(option)
        return require_absolute(self._config_dirs.get(workspace.runtime_name or "", CONFIG_DIR))
