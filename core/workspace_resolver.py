"""Finds a workspace: the providers' lookups first, then the service's own table; and decides on its backend."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

from ..hookspecs import errors
from ..hookspecs.values import Workspace
from .dispatcher import Dispatcher
from .store.registry import Workspaces

log = logging.getLogger("plugport.workspaces")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")


class Directory:
    """Where the rest of the service asks for a workspace."""

    def __init__(self, dispatcher: Dispatcher, rows: Workspaces) -> None:
        self._dispatcher, self._rows = dispatcher, rows

    async def find(self, workspace_id: str) -> Workspace:
        """The workspace with its backend filled in. Raises `WorkspaceNotFound`.

        A lookup that fails does not refuse anybody: the row stands, with its runtime unknown, so that the
        request goes on as container-backed (or as the row's own backend says).
        """
        if not ID.match(workspace_id):
            raise errors.WorkspaceNotFound
        found, failed = await self._dispatcher.lookup_workspace(workspace_id)
        if found is None:
            found = await self._rows.get(workspace_id)
            if found is None:
                raise errors.WorkspaceNotFound
            if failed:
                log.warning("lookup failed: the runtime of %s is taken as unknown", workspace_id)
                found = replace(found, runtime=None)
        return replace(found, backend=backend_of(found))


def backend_of(workspace: Workspace) -> str:
    """What the workspace says; else by its runtime and its instance; else a container."""
    if workspace.backend:
        return workspace.backend
    if workspace.runtime_name == "external":
        return "external"
    return "ec2" if workspace.instance_id else "docker"
