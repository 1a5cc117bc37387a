"""What the hooks of `ec2` do, through boto3 and asyncssh."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final, TypeVar

from ...hookspecs import Bundle, InstalledPlugin, Receipt, Removal, RunState, StartupContext, Workspace
from ...hookspecs.errors import (
    BackendUnavailable,
    DeliveryFailed,
    DeliveryTimeout,
    UnsupportedTarget,
    WorkspaceNotRunning,
)
from ..shell import install as installing
from ..shell import listing
from ..shell import uninstall as uninstalling
from .aws import Aws
from .channel import SshChannel
from .connector import Dialler, Way
from .host_keys import MODES, HostKeys
from .instances import Instances
from .pool import Connections

CONFIG_DIRS: Final[Mapping[str, str]] = {"claude-code": "/configs", "hermes": "/home/ubuntu/.hermes"}
OTHER_CONFIG_DIR: Final = "/opt/configs"
RESTART: Final = 'docker restart "$1" || sudo -n docker restart "$1"'
_STALL_SECONDS = 60.0
_T = TypeVar("_T")


class Ec2Work:
    """Delivers into the instance of the workspace. It opens nothing before the first call."""

    def __init__(self, context: StartupContext) -> None:
        given = context.settings
        mode = given.get("host_keys", MODES[0])
        if mode not in MODES:
            raise ValueError(f"PLUGPORT_EC2_HOST_KEYS is one of: {', '.join(MODES)}")
        self._config_dirs = {**CONFIG_DIRS, **context.service.config_dirs}
        self._stall = _seconds(given.get("stall_seconds"))
        self._aws = Aws()
        self._instances = Instances(self._aws)
        host_keys = HostKeys(self._aws, context, mode)
        dial = _host_and_port(given.get("tunnel_connect"))
        dialler = Dialler(self._aws, self._instances, host_keys, given.get("os_user", "ubuntu"), dial)
        self._connections = Connections(dialler)

    async def close(self) -> None:
        """Close the connections and the clients."""
        await self._connections.close()
        self._aws.close()

    def preflight(self, workspace: Workspace) -> None:
        """Refuse what cannot be reached whatever its state. Raises `WorkspaceNotRunning`."""
        _way(workspace)

    async def is_running(self, workspace: Workspace) -> RunState:
        """What EC2 says, by the one helper; STOPPED where the workspace names no instance."""
        if not workspace.instance_id:
            return RunState.STOPPED
        return (await self._instances.state(workspace.instance_id)).state

    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        """One command, with the bundle on its input, that checks what came and puts it there."""
        channel, config_dir = self._channel(workspace, "make"), self._config_dir(workspace)
        return await installing.install(channel, config_dir, bundle)

    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Take the plugin away."""
        channel, config_dir = self._channel(workspace, "look"), self._config_dir(workspace)
        return await uninstalling.uninstall(channel, config_dir, removal)

    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """What lies on the instance."""
        work = listing.list_installed(self._channel(workspace, "look"), self._config_dir(workspace))
        return await _as_a_question(work)

    async def restart(self, workspace: Workspace) -> None:
        """Run the workspace's own restart command, or restart its agent's container.

        Raises `UnsupportedTarget` where the option `restart` is false, `BackendUnavailable` where the command fails.
        """
        command = workspace.options.get("restart", RESTART)
        if not isinstance(command, str) or not command:
            raise UnsupportedTarget("the option `restart` says not to")
        channel = SshChannel(self._connections, _way(workspace), (), self._stall)
        done = await _as_a_question(channel.run(["sh", "-c", command, "plugport", workspace.container_name]))
        if done.exit_code != 0:
            words = done.stderr[-2000:].decode("utf-8", "replace").strip()
            raise BackendUnavailable(f"the restart exited with {done.exit_code}: {words}")

    def _channel(self, workspace: Workspace, mode: str) -> SshChannel:
        before = ["sh", "-c", _as_agent(), "plugport", mode, self._config_dir(workspace)]
        return SshChannel(self._connections, _way(workspace), before, self._stall)

    def _config_dir(self, workspace: Workspace) -> str:
        """The runtime's. Raises `WorkspaceNotRunning` where the setting is no absolute path."""
        path = self._config_dirs.get(workspace.runtime_name or "", OTHER_CONFIG_DIR)
        if not PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise WorkspaceNotRunning("the runtime's config dir is not an absolute path")
        return path.rstrip("/") or "/"


async def _as_a_question(work: Awaitable[_T]) -> _T:
    """Nothing was delivered: a line that broke is a backend that could not be asked."""
    try:
        return await work
    except (DeliveryFailed, DeliveryTimeout) as error:
        raise BackendUnavailable(error.reason) from error


def _as_agent() -> str:
    return files(__package__).joinpath("as_agent.sh").read_text("utf-8")


def _way(workspace: Workspace) -> Way:
    """Raises `WorkspaceNotRunning` where the workspace does not say where it is."""
    if not workspace.instance_id:
        raise WorkspaceNotRunning("the workspace names no instance")
    host, port = workspace.options.get("ssh_host"), workspace.options.get("ssh_port", 22)
    if host is not None and not (isinstance(host, str) and host):
        raise WorkspaceNotRunning("the option `ssh_host` is not a host")
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        raise WorkspaceNotRunning("the option `ssh_port` is not a port")
    return Way(workspace.instance_id, host, port)


def _host_and_port(text: str | None) -> tuple[str, int] | None:
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("PLUGPORT_EC2_TUNNEL_CONNECT is host:port")
    return host.strip("[]"), int(port)


def _seconds(text: str | None) -> float:
    value = float(text) if text else _STALL_SECONDS
    if not value > 0:
        raise ValueError("PLUGPORT_EC2_STALL_SECONDS is a number of seconds above 0")
    return value
