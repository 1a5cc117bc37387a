"""The backend `ec2`: plugins into instances, through EC2 Instance Connect: no open port, no stored key."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from ...hookspecs import (
    Action,
    Bundle,
    InstalledPlugin,
    Receipt,
    Removal,
    RunState,
    StartupContext,
    Workspace,
    hookimpl,
)
from ...hookspecs.errors import BackendUnavailable
from ..extras import needs

if TYPE_CHECKING:
    from .work import Ec2Work

needs("boto3", "asyncssh", "websockets")


class Ec2Backend:
    """The hooks. The SDKs are imported when the service starts, and not when somebody looks which providers there
    are."""

    backend = "ec2"

    def __init__(self) -> None:
        self._work: Ec2Work | None = None

    @hookimpl
    async def startup(self, context: StartupContext) -> None:
        """Take the settings. Raises `ValueError` where one cannot be used."""
        module = await asyncio.to_thread(import_module, "plugport.builtin_backends.ec2.work")
        self._work = module.Ec2Work(context)

    @hookimpl
    async def shutdown(self) -> None:
        """Close the connections and the clients."""
        work, self._work = self._work, None
        if work is not None:
            await work.close()

    @hookimpl
    def preflight(self, workspace: Workspace, action: Action) -> None:
        """Refuse what cannot be reached whatever its state. Raises `WorkspaceNotRunning`."""
        self.work.preflight(workspace)

    @hookimpl
    async def is_running(self, workspace: Workspace) -> RunState:
        """What EC2 says, by the one helper; STOPPED where the workspace names no instance."""
        return await self.work.is_running(workspace)

    @hookimpl
    async def deliver(self, workspace: Workspace, bundle: Bundle) -> Receipt:
        """One command, with the bundle on its input, that checks what came and puts it there."""
        return await self.work.deliver(workspace, bundle)

    @hookimpl
    async def uninstall(self, workspace: Workspace, removal: Removal) -> Receipt:
        """Take the plugin away."""
        return await self.work.uninstall(workspace, removal)

    @hookimpl
    async def list_installed(self, workspace: Workspace) -> list[InstalledPlugin]:
        """What lies on the instance."""
        return await self.work.list_installed(workspace)

    @hookimpl
    async def restart(self, workspace: Workspace) -> None:
        """Run the workspace's own restart command, or restart its agent's container.

        Raises `UnsupportedTarget` where the option `restart` is false, `BackendUnavailable` where the command fails.
        """
        await self.work.restart(workspace)

    @property
    def work(self) -> Ec2Work:
        """What `startup` made. Raises `BackendUnavailable` before it, and after `shutdown`."""
        if self._work is None:
            raise BackendUnavailable("the backend was not started")
        return self._work
