"""Resolves a workspace: the providers' lookups first, then the service's own table; and chooses its backend."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from ..hookspecs import errors
from ..hookspecs.values import Workspace, is_name
from .dispatcher import Dispatcher
from .store.workspaces import Workspaces

EMPTY_LAYOUTS: Final[Mapping[str, str]] = MappingProxyType({})
log = logging.getLogger("plugport.workspaces")


class WorkspaceResolver:
    """Looks workspaces up by their ids. `layouts` maps a runtime to the layout of workspaces that name none."""

    def __init__(
        self, dispatcher: Dispatcher, workspaces: Workspaces, layouts: Mapping[str, str] = EMPTY_LAYOUTS
    ) -> None:
        self._dispatcher, self._workspaces, self._layouts = dispatcher, workspaces, layouts

    async def resolve(self, workspace_id: str) -> Workspace:
        """Return the workspace with its backend and layout filled in. Raises `WorkspaceNotFound`.

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
        return self.filled(workspace)

    def filled(self, workspace: Workspace) -> Workspace:
        """Return the workspace with the backend and the layout that it has, named in its row or not."""
        layout = workspace.layout or self._layouts.get(workspace.runtime_name or "") or "adaptor"
        return replace(workspace, backend=backend_of(workspace), layout=layout)


def backend_of(workspace: Workspace) -> str:
    """Return the workspace's backend: its own; else by its runtime and its instance; else `docker`."""
    if workspace.backend:
        return workspace.backend
    if workspace.runtime_name == "external":
        return "external"
    return "ec2" if workspace.instance_id else "docker"
