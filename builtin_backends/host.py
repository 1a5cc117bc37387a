"""The backend `host`: a workspace that is a directory on this machine.

It is the embedded default, for the demo, for development and for tests, and keeps every promise of a delivery with
the same scripts that the other targets run.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..hookspecs import Bundle, InstalledPlugin, Receipt, Removal, RunState, Workspace, hookimpl
from ..hookspecs.errors import WorkspaceNotRunning
from .shell import CommandChannel, ShellTarget


class HostBackend:
    """Delivers into `options["path"]`, the absolute path of the workspace's config dir."""

    backend = "host"

    @hookimpl
    def is_running(self, workspace: Workspace) -> RunState:
        """RUNNING where the directory is there, STOPPED where it is not."""
        try:
            path = _config_dir(workspace)
            Path(path).stat()
        except (WorkspaceNotRunning, FileNotFoundError, NotADirectoryError):
            return RunState.STOPPED
        except OSError as error:
            return RunState.unknown(f"the directory cannot be looked at: {error}")
        return RunState.RUNNING if Path(path).is_dir() else RunState.STOPPED

    @hookimpl
    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        """Install the bundle there. Raises `WorkspaceNotRunning` where the directory is not there."""
        if await asyncio.to_thread(self.is_running, workspace) == RunState.STOPPED:
            raise WorkspaceNotRunning("the directory is not there")
        return await _target(workspace).deliver(bundle)

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Take the plugin away."""
        return await _target(workspace).uninstall(removal)

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """What lies there."""
        return await _target(workspace).list_installed()


def _target(workspace: Workspace) -> ShellTarget:
    return ShellTarget(CommandChannel(), _config_dir(workspace))


def _config_dir(workspace: Workspace) -> str:
    """The workspace's own option. Raises `WorkspaceNotRunning` where it has none that can be used."""
    path = workspace.options.get("path")
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise WorkspaceNotRunning("the option `path` is not an absolute path")
    return path


provider = HostBackend()
