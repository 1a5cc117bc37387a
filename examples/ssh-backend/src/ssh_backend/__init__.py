"""The backend `ssh`: workspaces on hosts that OpenSSH's client reaches.

A workspace's options: `host`, and where they differ `port` (22), `user` (agent) and `config_dir` (/configs). Settings:
`PLUGPORT_SSH_BACKEND_IDENTITY`, the private key's file, and `PLUGPORT_SSH_BACKEND_KNOWN_HOSTS`, the file with the
hosts' keys: a host that is not in it is not talked to.
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
_WAY_BROKE = 255
_NOT_THERE = 3
_T = TypeVar("_T")


class SshBackend:
    """Every call is one command of ssh: nothing is kept open between two."""

    backend = "ssh"

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        """Take the settings. Raises `ValueError` for a file that is not there."""
        self._options = [
            "-oBatchMode=yes",
            "-oConnectTimeout=10",
            "-oServerAliveInterval=15",
            "-oServerAliveCountMax=2",
        ]
        self._options += ["-oStrictHostKeyChecking=yes", "-oIdentitiesOnly=yes"]
        for setting, option in (("identity", "-oIdentityFile"), ("known_hosts", "-oUserKnownHostsFile")):
            place = context.settings.get(setting, "")
            if not Path(place).is_file():
                raise ValueError(f"set PLUGPORT_SSH_BACKEND_{setting.upper()} to a file that is there")
            self._options.append(f"{option}={place}")

    @hookimpl
    def preflight(self, workspace: Workspace, action: Action) -> None:
        """Refuse, before anything is fetched, a workspace whose options say no place."""
        self._place(workspace)

    @hookimpl
    async def is_running(self, workspace: Workspace) -> RunState:
        """RUNNING where the host has the config dir, STOPPED where it has not, UNKNOWN where it does not answer."""
        channel, config_dir = self._place(workspace)
        try:
            told = await channel.run(["sh", "-c", f"[ -d {shlex.quote(config_dir)} ] || exit {_NOT_THERE}"])
        except PlugportError as error:
            return RunState.unknown(error.reason)
        known = {0: RunState.RUNNING, _NOT_THERE: RunState.STOPPED}
        return known.get(told.exit_code) or RunState.unknown(f"the host's shell exited with {told.exit_code}")

    @hookimpl
    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        """Put the bundle there, whole or not at all, and read its digest back."""
        return await self._on_good_days(workspace, ShellTarget(*self._place(workspace)).deliver(bundle))

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Take away what `removal` says, and nothing else."""
        return await self._on_good_days(workspace, ShellTarget(*self._place(workspace)).uninstall(removal))

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """What lies there."""
        return await self._on_good_days(workspace, ShellTarget(*self._place(workspace)).list_installed())

    async def _on_good_days(self, workspace: Workspace, work: Awaitable[_T]) -> _T:
        """Do the work with one connection; ask whether the workspace runs only where it failed."""
        try:
            return await work
        except PlugportError as error:
            if (await self.is_running(workspace)).kind is RunStateKind.STOPPED:
                raise WorkspaceNotRunning("the host has no config dir") from error
            raise

    def _place(self, workspace: Workspace) -> tuple[CommandChannel, str]:
        """The way to the host, and its config dir. Raises `WorkspaceNotRunning` where the options say none."""
        given = workspace.options
        host, user = str(given.get("host", "")), str(given.get("user", "agent"))
        port, config_dir = str(given.get("port", 22)), str(given.get("config_dir", "/configs"))
        if not (_WORD.match(host) and _WORD.match(user) and port.isdecimal() and config_dir.startswith("/")):
            raise WorkspaceNotRunning("the options `host`, `user`, `port` and `config_dir` say no place")
        before = ["ssh", *self._options, "-p", port, "-l", user, "--", host]

        def wrap(argv: Sequence[str]) -> Sequence[str]:
            return [*before, shlex.join(argv)]

        return CommandChannel(wrap, broken={_WAY_BROKE}), config_dir


provider = SshBackend()
