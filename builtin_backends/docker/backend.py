"""The hooks of the backend `docker`, through docker-py."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

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
from ..shell.script import NotWritable
from ..workspace_checks import home_of, require_absolute, require_running
from ..workspace_options import absolute_path, check_options, text
from . import shellless
from .channel import DockerChannel
from .engine import DELIVERIES, Engine
from .errors import translate_errors
from .running import Container
from .shells import Shells
from .states import ContainerStates

CONFIG_DIR = "/configs"
_RESTART_SECONDS = 3
_NO_SHELL = "the container has no shell, or lacks one of the tools"


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
        self._shells = Shells(self.engine.deliveries, context.logger)
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
        with unavailable_on_failure():
            channel = await self._require_shell(workspace, "nothing can be looked at")
            return await self._shell_target(workspace, channel).inspect(query)

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
            if channel is not None:
                return await self._in_shell(
                    workspace, container, channel, lambda target: target.deliver(bundle, known, activation)
                )
            if activation:
                raise UnsupportedTarget(f"nothing can be activated: {_NO_SHELL}")
            if mount is not None and mount.tmpfs:
                raise DeliveryFailed(f"{_NO_SHELL}, and an upload into a tmpfs is not visible in the container")
            return await shellless.install(self.engine.deliveries, container.identity or "", config_dir, bundle)

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Remove the plugin. Raises `UnsupportedTarget` if the image has no shell, and what `deliver` raises."""
        container, channel = await self._connect(workspace)
        if channel is None:
            raise UnsupportedTarget(f"nothing can be deleted: {_NO_SHELL}")
        return await self._in_shell(workspace, container, channel, lambda target: target.uninstall(removal))

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """List the plugins in the container. Raises `WorkspaceNotRunning` and `BackendUnavailable`."""
        with unavailable_on_failure():
            container, channel = await self._connect(workspace)
            if channel is not None:
                return await self._shell_target(workspace, channel).list_installed()
            identity, config_dir = container.identity or "", self._config_dir(workspace)
            return await shellless.list_installed(self.engine.deliveries, identity, config_dir)

    @hookimpl
    async def ask(self, workspace: Workspace, question: Question) -> Answer:
        """Run the agent's own command in the container, as the user that owns the config dir. Raises what
        `inspect_target` raises."""
        with unavailable_on_failure():
            channel = await self._require_shell(workspace, "the agent cannot be asked")
            agent = await channel.as_owner_of(self._config_dir(workspace))
            return await self._shell_target(workspace, agent).ask(question)

    @hookimpl
    async def restart(self, workspace: Workspace) -> None:
        """Restart the container. Raises `UnsupportedTarget` if that would empty the tmpfs that holds the plugins,
        `WorkspaceNotRunning` and `BackendUnavailable`."""
        container = await self._running(workspace)
        mount = container.mount_of(f"{self._config_dir(workspace)}/plugins")
        if mount is not None and mount.tmpfs:
            raise UnsupportedTarget("a restart would empty the tmpfs that holds the plugins")

        identity = container.identity or ""

        def restart_container() -> None:
            with translate_errors():
                self.engine.deliveries.api().restart(identity, timeout=self._restart_seconds)

        with unavailable_on_failure():
            await self.engine.deliveries.in_thread(restart_container)

    async def _running(self, workspace: Workspace) -> Container:
        """Return the running container. Raises `WorkspaceNotRunning` and `BackendUnavailable`."""
        container = await self._states.inspect(workspace.container_name)
        require_running(container.state, f"the container {workspace.container_name}")
        if container.identity is None:
            raise WorkspaceNotRunning(f"the container {workspace.container_name} does not exist")
        return container

    async def _connect(self, workspace: Workspace) -> tuple[Container, DockerChannel | None]:
        """Return the running container, and its channel if it has a shell. Raises what `Shells.channel` raises."""
        container = await self._running(workspace)
        try:
            return container, await self._shells.channel(container, self._config_dir(workspace))
        except DeliveryFailed:
            await self._running(workspace)  # a container that has just ended answers in many ways
            raise

    async def _require_shell(self, workspace: Workspace, what: str) -> DockerChannel:
        """Return the container's channel. Raises `UnsupportedTarget` if it has no shell."""
        _, channel = await self._connect(workspace)
        if channel is None:
            raise UnsupportedTarget(f"{what}: {_NO_SHELL}")
        return channel

    async def _in_shell(
        self,
        workspace: Workspace,
        container: Container,
        channel: DockerChannel,
        script: Callable[[ShellTarget], Awaitable[Receipt]],
    ) -> Receipt:
        """Await a script in a container that has a shell; as the directory's owner, if root cannot write there."""
        try:
            try:
                return await script(self._shell_target(workspace, channel))
            except DeliveryFailed as error:
                owner = None
                if isinstance(error.__cause__, NotWritable):
                    owner = await self._shells.as_owner(container, self._config_dir(workspace))
                if owner is None:
                    raise
                return await script(self._shell_target(workspace, owner))
        except UnsupportedTarget as error:
            await self._running(workspace)
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
