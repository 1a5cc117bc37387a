"""Restarts the agent after a change of its plugins."""

from __future__ import annotations

import logging

from ...hookspecs import errors
from ...hookspecs.values import Workspace
from ..dispatcher import Dispatcher
from ..operations.progress import Progress

log = logging.getLogger("plugport.pipeline")


async def restart_agent(dispatcher: Dispatcher, workspace: Workspace, progress: Progress) -> bool:
    """Restart the agent and return whether that worked. Never raises the tree's errors, since the change stands."""
    await progress.phase("restarting")
    try:
        await dispatcher.restart(workspace)
    except errors.UnsupportedTarget:
        return False
    except errors.PlugportError:
        log.exception("restart failed")
        return False
    return True
