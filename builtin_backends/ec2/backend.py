"""The hooks of the backend `ec2`, through boto3 and asyncssh."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from ...hookspecs import (
    Action,
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
    BackendUnavailable,
    UnsupportedTarget,
    WorkspaceNotRunning,
)
from ..shell import KeepBounds, ShellTarget
from ..shell.channel import unavailable_on_failure
from ..workspace_checks import home_of, require_absolute
from ..workspace_options import OptionCheck, absolute_path, check_options, command_or_false, port, text
from .aws import Aws
from .channel import SshChannel
from .connector import ConnectionTarget, Connector
from .host_keys import MODES, HostKeys
from .instances import Instances
from .pool import ConnectionPool

CONFIG_DIRS: Final[Mapping[str, str]] = {"claude-code": "/configs", "hermes": "/home/ubuntu/.hermes"}
OTHER_CONFIG_DIR: Final = "/opt/configs"
RESTART: Final = 'docker restart "$1" || sudo -n docker restart "$1"'
_STALL_SECONDS = 60.0
_OPTIONS: Final[Mapping[str, OptionCheck]] = {
    "ssh_host": text,
    "ssh_port": port,
    "restart": command_or_false,
    "region": text,
    "os_user": text,
    "profile": text,
    "config_dir": absolute_path,
    "home": absolute_path,
}


class Ec2Backend:
    """Delivers into the workspace's instance. It connects to nothing before the first call.

    `startup` comes before every other hook; `LazyBackend` ensures that.
    """

    backend = "ec2"

    @hookimpl
    async def startup(self, context: StartupContext) -> None:
        """Read the settings. Raises `ValueError` if one is invalid."""
        settings = context.settings
        mode = settings.get("host_keys", MODES[0])
        if mode not in MODES:
            raise ValueError(f"PLUGPORT_EC2_HOST_KEYS is one of: {', '.join(MODES)}")
        self._stall_seconds = _stall_seconds(settings.get("stall_seconds"))
        tunnel_address = _host_and_port(settings.get("tunnel_connect"))
        self._config_dirs = {**CONFIG_DIRS, **context.service.config_dirs}
        self._bounds = KeepBounds.of(context.service)
        self._aws = Aws()
        self._instances = Instances(self._aws)
        host_keys, os_user = HostKeys(self._aws, context, mode), settings.get("os_user", "ubuntu")
        self._pool = ConnectionPool(Connector(self._aws, self._instances, host_keys, os_user, tunnel_address))

    @hookimpl
    async def shutdown(self) -> None:
        """Close the connections and the clients."""
        await self._pool.close()
        self._aws.close()

    @hookimpl
    async def check_workspace(self, workspace: Workspace) -> list[Finding]:
        """Return what is wrong with the options."""
        return check_options(workspace, _OPTIONS)

    @hookimpl
    async def preflight(self, workspace: Workspace, action: Action) -> None:
        """Raise `WorkspaceNotRunning` if the workspace's options cannot lead to an instance, whatever its state."""
        _connection_target(workspace)

    @hookimpl
    async def is_running(self, workspace: Workspace) -> RunState:
        """Return EC2's answer, STOPPED if the workspace has no instance id. See `Instances.get`."""
        if not workspace.instance_id:
            return RunState.STOPPED
        return (await self._instances.get(workspace.instance_id)).state

    @hookimpl
    async def inspect_target(self, workspace: Workspace, query: TargetQuery) -> TargetState:
        """Return what lies on the instance. Raises what `SshChannel.run` and `ShellTarget.inspect` raise."""
        return await self._shell_target(workspace, "look").inspect(query)

    @hookimpl
    async def deliver(
        self,
        workspace: Workspace,
        bundle: Bundle,
        known: tuple[str, ...] = (),
        activation: TargetChanges | None = None,
    ) -> Receipt:
        """Deliver by one command that reads the bundle, checks it and puts it in place. Raises what
        `SshChannel.run` and `ShellTarget.deliver` raise."""
        return await self._shell_target(workspace, "make").deliver(bundle, known, activation)

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Remove the plugin. May be repeated. Raises what `deliver` raises."""
        return await self._shell_target(workspace, "look").uninstall(removal)

    @hookimpl
    async def ask(self, workspace: Workspace, question: Question) -> Answer:
        """Run the agent's own command on the instance. Raises what `inspect_target` raises."""
        return await self._shell_target(workspace, "look").ask(question)

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """List the plugins on the instance. Raises what `SshChannel.run` and `ShellTarget.list_installed` raise."""
        return await self._shell_target(workspace, "look").list_installed()

    @hookimpl
    async def restart(self, workspace: Workspace) -> None:
        """Run the workspace's restart command; the default restarts its agent's container.

        Raises `UnsupportedTarget` if the option `restart` is false, and `BackendUnavailable` if the command fails.
        """
        command = workspace.options.get("restart", RESTART)
        if not isinstance(command, str) or not command:
            raise UnsupportedTarget("the option `restart` forbids it")
        channel = SshChannel(self._pool, _connection_target(workspace), (), self._stall_seconds)
        with unavailable_on_failure():
            completed = await channel.run(["sh", "-c", command, "plugport", workspace.container_name])
        if completed.exit_code != 0:
            raise BackendUnavailable(completed.failure("the restart"))

    def _shell_target(self, workspace: Workspace, mode: str) -> ShellTarget:
        """Return the config dir on the instance, reached as uid 1000. See `as_agent.sh` for the mode."""
        target = _connection_target(workspace)
        config_dir = require_absolute(self._config_dirs.get(workspace.runtime_name or "", OTHER_CONFIG_DIR))
        script = files(__package__).joinpath("as_agent.sh").read_text("utf-8")
        prefix = ["sh", "-c", script, "plugport", mode, config_dir]
        channel = SshChannel(self._pool, target, prefix, self._stall_seconds)
        return ShellTarget(channel, config_dir, home=home_of(workspace), bounds=self._bounds)


def _connection_target(workspace: Workspace) -> ConnectionTarget:
    """Read the workspace's options. Raises `WorkspaceNotRunning` if they are missing or invalid."""
    if not workspace.instance_id:
        raise WorkspaceNotRunning("the workspace has no instance id")
    host, port = workspace.options.get("ssh_host"), workspace.options.get("ssh_port", 22)
    if host is not None and not (isinstance(host, str) and host):
        raise WorkspaceNotRunning("the option `ssh_host` is not a host")
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        raise WorkspaceNotRunning("the option `ssh_port` is not a port")
    return ConnectionTarget(workspace.instance_id, host, port)


def _host_and_port(text: str | None) -> tuple[str, int] | None:
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("PLUGPORT_EC2_TUNNEL_CONNECT is host:port")
    return host.strip("[]"), int(port)


def _stall_seconds(text: str | None) -> float:
    seconds = float(text) if text else _STALL_SECONDS
    if not seconds > 0:
        raise ValueError("PLUGPORT_EC2_STALL_SECONDS is a number of seconds above 0")
    return seconds
