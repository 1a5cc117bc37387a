"""A backend that a third party wrote for version 0.1 (hook API 2), with the names of that version. Keep it so."""

from __future__ import annotations

from pathlib import Path

from plugport.builtin_backends.target import CommandChannel, ShellTarget
from plugport.hookspecs import hookimpl
from plugport.hookspecs.bundles import Bundle
from plugport.hookspecs.errors import SourceFault, WorkspaceNotRunning  # noqa: F401 - imported as its author did
from plugport.hookspecs.models import Action, InstalledPlugin, Receipt, Removal, RunState, StartupContext, Workspace


class OldBackend:
    backend = "old"
    hook_api_version = 2

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        self.logger = context.logger

    @hookimpl
    def preflight(self, workspace: Workspace, action: Action) -> None:
        self.logger.info("%s %s", workspace.id, action)

    @hookimpl
    def is_running(self, workspace: Workspace) -> RunState:
        return RunState.RUNNING if Path(str(workspace.options["path"])).is_dir() else RunState.STOPPED

    @hookimpl
    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        return await self._target(workspace).deliver(bundle)

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        return await self._target(workspace).uninstall(removal)

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        return await self._target(workspace).list_installed()

    def _target(self, workspace: Workspace) -> ShellTarget:
        if self.is_running(workspace) == RunState.STOPPED:
            raise WorkspaceNotRunning("no directory")
        return ShellTarget(CommandChannel(lambda argv: argv), str(workspace.options["path"]))
