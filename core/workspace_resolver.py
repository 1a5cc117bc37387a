"""Resolves a workspace: the providers' lookups first, then the service's own table; and chooses its backend."""

from __future__ import annotations

import logging
from dataclasses import replace

from ..hookspecs import errors
from ..hookspecs.values import Workspace, is_name
from .dispatcher import Dispatcher
from .store.workspaces import Workspaces

log = logging.getLogger("plugport.workspaces")


class WorkspaceResolver:
    """Looks workspaces up by their ids."""

    def __init__(self, dispatcher: Dispatcher, workspaces: Workspaces) -> None:
        self._dispatcher, self._workspaces = dispatcher, workspaces

    async def resolve(self, workspace_id: str) -> Workspace:
        """Return the workspace with its backend filled in. Raises `WorkspaceNotFound`.

        A failed lookup refuses nobody: the stored workspace is used, with its runtime unknown, so that the request
        goes on with the stored backend or as a container.
        """
        if not is_name(workspace_id):
            raise errors.WorkspaceNotFound
        workspace, lookup_failed = await self._dispatcher.lookup_workspace(workspace_id)
        if workspace is None:
            workspace = await self._workspaces.get(workspace_id)
            if workspace is None:
                raise errors.WorkspaceNotFound
            if lookup_failed:
                log.warning("a workspace lookup failed: the runtime of %s is taken as unknown", workspace_id)
                workspace = replace(workspace, runtime=None)
        return replace(workspace, backend=backend_of(workspace))


def backend_of(workspace: Workspace) -> str:
    """Return the workspace's backend: its own; else by its runtime and its instance; else `docker`."""
    if workspace.backend:
        return workspace.backend
    if workspace.runtime_name == "external":
        return "external"
    return "ec2" if workspace.instance_id else "docker"
