"""The backend `ssh`: workspaces on hosts that OpenSSH's client reaches.

A workspace's options: `host`, and optionally `port` (22), `user` (agent) and `config_dir` (/configs). Settings:
`PLUGPORT_SSH_BACKEND_IDENTITY`, the private key's file, and `PLUGPORT_SSH_BACKEND_KNOWN_HOSTS`, the file with the
hosts' keys: the backend connects to no other host.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import TypeVar

from plugport.builtin_backends.shell import CommandChannel, ShellTarget
from plugport.hookspecs import (
    Action,
    Bundle,
    InstalledPlugin,
    Receipt,
    Removal,
    RunState,
    RunStateKind,
    StartupContext,
    Workspace,
    hookimpl,
)
from plugport.hookspecs.errors import PlugportError, WorkspaceNotRunning

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}\Z")
_CONNECTION_FAILED = 255
_NO_CONFIG_DIR = 3
_T = TypeVar("_T")


class SshBackend:
    """Each call is one command of ssh. No connection stays open between two calls."""

    backend = "ssh"

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        """Read the settings. Raises `ValueError` if a file is not there."""
        self._options = [
            "-oBatchMode=yes",
            "-oConnectTimeout=10",
            "-oServerAliveInterval=15",
            "-oServerAliveCountMax=2",
        ]
        self._options += ["-oStrictHostKeyChecking=yes", "-oIdentitiesOnly=yes"]
        for setting, option in (("identity", "-oIdentityFile"), ("known_hosts", "-oUserKnownHostsFile")):
            path = context.settings.get(setting, "")
            if not Path(path).is_file():
                raise ValueError(f"set PLUGPORT_SSH_BACKEND_{setting.upper()} to a file that is there")
            self._options.append(f"{option}={path}")

    @hookimpl
    def preflight(self, workspace: Workspace, action: Action) -> None:
        """Refuse a workspace whose options are not complete, before anything is fetched."""
        self._target(workspace)

    @hookimpl
    async def is_running(self, workspace: Workspace) -> RunState:
        """Return RUNNING if the host has the config dir, STOPPED if not, UNKNOWN if it does not answer."""
        channel, config_dir = self._target(workspace)
        try:
            completed = await channel.run(["sh", "-c", f"[ -d {shlex.quote(config_dir)} ] || exit {_NO_CONFIG_DIR}"])
        except PlugportError as error:
            return RunState.unknown(error.reason)
        states = {0: RunState.RUNNING, _NO_CONFIG_DIR: RunState.STOPPED}
        return states.get(completed.exit_code) or RunState.unknown(
            f"the host's shell exited with {completed.exit_code}"
        )

    @hookimpl
    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        """Deliver the bundle, whole or not at all, and read its digest back."""
        return await self._translate_errors(workspace, ShellTarget(*self._target(workspace)).deliver(bundle))

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Remove what `removal` says, and nothing else."""
        return await self._translate_errors(workspace, ShellTarget(*self._target(workspace)).uninstall(removal))

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """List what lies there."""
        return await self._translate_errors(workspace, ShellTarget(*self._target(workspace)).list_installed())

    async def _translate_errors(self, workspace: Workspace, call: Awaitable[_T]) -> _T:
        """Await the call. If it failed, ask whether the workspace runs, so that a good call needs one connection."""
        try:
            return await call
        except PlugportError as error:
            if (await self.is_running(workspace)).kind is RunStateKind.STOPPED:
                raise WorkspaceNotRunning("the host has no config dir") from error
            raise

    def _target(self, workspace: Workspace) -> tuple[CommandChannel, str]:
        """Return a channel to the host, and its config dir. Raises `WorkspaceNotRunning` if an option is wrong."""
        options = workspace.options
        host, user = str(options.get("host", "")), str(options.get("user", "agent"))
        port, config_dir = str(options.get("port", 22)), str(options.get("config_dir", "/configs"))
        if not (_WORD.match(host) and _WORD.match(user) and port.isdecimal() and config_dir.startswith("/")):
            raise WorkspaceNotRunning("the options `host`, `user`, `port` and `config_dir` are not valid")
        command = ["ssh", *self._options, "-p", port, "-l", user, "--", host]

        def wrap(argv: Sequence[str]) -> Sequence[str]:
            return [*command, shlex.join(argv)]

        return CommandChannel(wrap, broken={_CONNECTION_FAILED}), config_dir


provider = SshBackend()
