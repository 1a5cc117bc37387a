"""The backend `host`: a workspace that is a directory on this machine.

It is the default for the demo, for development and for tests. It keeps every promise of a delivery, by the same
scripts that the other targets run.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..hookspecs import (
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
from ..hookspecs.errors import WorkspaceNotRunning
from .shell import CommandChannel, KeepBounds, ShellTarget
from .workspace_checks import home_of
from .workspace_options import absolute_path, check_options


class HostBackend:
    """Delivers into `options["path"]`, the absolute path of the workspace's config dir."""

    backend = "host"

    def __init__(self) -> None:
        self._bounds = KeepBounds()

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        """Read how much of what people edited is kept."""
        self._bounds = KeepBounds.of(context.service)

    @hookimpl
    def check_workspace(self, workspace: Workspace) -> list[Finding]:
        """Return what is wrong with the options. `path` is required."""
        return check_options(workspace, {"path": absolute_path, "home": absolute_path}, required=("path",))

    @hookimpl
    def is_running(self, workspace: Workspace) -> RunState:
        """Return RUNNING if the directory exists, STOPPED if not, UNKNOWN if that cannot be checked."""
        try:
            path = _config_dir(workspace)
            Path(path).stat()
        except (WorkspaceNotRunning, FileNotFoundError, NotADirectoryError):
            return RunState.STOPPED
        except OSError as error:
            return RunState.unknown(f"the directory cannot be checked: {error}")
        return RunState.RUNNING if Path(path).is_dir() else RunState.STOPPED

    @hookimpl
    async def inspect_target(self, workspace: Workspace, query: TargetQuery) -> TargetState:
        """Return what lies in the directory."""
        return await self._target(workspace).inspect(query)

    @hookimpl
    async def deliver(
        self,
        workspace: Workspace,
        bundle: Bundle,
        known: tuple[str, ...] = (),
        activation: TargetChanges | None = None,
    ) -> Receipt:
        """Install the bundle. Raises `WorkspaceNotRunning` if the directory does not exist; see `ShellTarget`."""
        if await asyncio.to_thread(self.is_running, workspace) == RunState.STOPPED:
            raise WorkspaceNotRunning("the directory does not exist")
        return await self._target(workspace).deliver(bundle, known, activation)

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Remove the plugin. May be repeated."""
        return await self._target(workspace).uninstall(removal)

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """List the plugins in the directory."""
        return await self._target(workspace).list_installed()

    @hookimpl
    async def ask(self, workspace: Workspace, question: Question) -> Answer:
        """Run the agent's own command on this machine. Raises `UnsupportedTarget` and `BackendUnavailable`."""
        return await self._target(workspace).ask(question)

    def _target(self, workspace: Workspace) -> ShellTarget:
        return ShellTarget(CommandChannel(), _config_dir(workspace), home=home_of(workspace), bounds=self._bounds)


def _config_dir(workspace: Workspace) -> str:
    """Return the option `path`. Raises `WorkspaceNotRunning` if it is missing or not absolute."""
    path = workspace.options.get("path")
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise WorkspaceNotRunning("the option `path` is not an absolute path")
    return path


provider = HostBackend()
