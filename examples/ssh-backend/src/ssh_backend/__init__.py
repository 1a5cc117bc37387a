"""The backend `ssh-backend`: workspaces that a shell reaches.

Here that shell runs on this machine, and `options["path"]` is the workspace's config dir. For a target elsewhere,
give `CommandChannel` what carries a command there: see `_target`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from plugport.builtin_backends.target import CommandChannel, ShellTarget
from plugport.hookspecs import Bundle, InstalledPlugin, Receipt, Removal, RunState, Workspace, hookimpl
from plugport.hookspecs.errors import WorkspaceNotRunning

__all__ = ["provider"]


class SshBackend:
    """The hooks of a backend; `preflight` and `restart` may be added."""

    backend = "ssh-backend"

    @hookimpl
    def is_running(self, workspace: Workspace) -> RunState:
        """RUNNING, STOPPED, or `RunState.unknown(reason)` where nobody can say: never STOPPED for that."""
        try:
            return RunState.RUNNING if _config_dir(workspace).is_dir() else RunState.STOPPED
        except OSError as error:
            return RunState.unknown(f"the directory cannot be looked at: {error}")

    @hookimpl
    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        """Put the bundle there, whole or not at all, and read its digest back."""
        return await (await self._target(workspace)).deliver(bundle)

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Take away what `removal` says, and nothing else."""
        return await (await self._target(workspace)).uninstall(removal)

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """What lies there."""
        return await (await self._target(workspace)).list_installed()

    async def _target(self, workspace: Workspace) -> ShellTarget:
        if await asyncio.to_thread(self.is_running, workspace) == RunState.STOPPED:
            raise WorkspaceNotRunning("its directory is not there")
        # elsewhere: CommandChannel(lambda argv: ["kubectl", "exec", "-i", pod, "--", *argv])
        return ShellTarget(CommandChannel(), str(_config_dir(workspace)))


def _config_dir(workspace: Workspace) -> Path:
    path = workspace.options.get("path")
    if not isinstance(path, str) or not path.startswith("/"):
        raise WorkspaceNotRunning("the option `path` is not an absolute path")
    return Path(path)


provider = SshBackend()
