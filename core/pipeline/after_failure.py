"""Looks at a target after a delivery that failed, so that nobody says of the old version what was not seen."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ...hookspecs import errors
from ...hookspecs.values import TargetQuery, TargetState, Workspace
from ..dispatcher import Dispatcher
from .footprint import directory_of

log = logging.getLogger(__name__)


async def is_unchanged(
    dispatcher: Dispatcher, workspace: Workspace, name: str, before: TargetState | None, known: Sequence[str]
) -> bool:
    """Tell whether the plugin's directory was seen to be as it was before the delivery.

    `before` is what the look before the delivery said; a backend that cannot look is asked for its list, which must
    have one of the `known` digests, newest first. Whatever fails is False. Raises nothing of the backend.
    """
    directory = directory_of(name)
    try:
        if before is not None and directory in before.paths:
            after = await dispatcher.inspect_target(workspace, TargetQuery((), trees=(directory,)))
            was, now = before.paths[directory], after.paths[directory]
            return (was.kind, was.digest) == (now.kind, now.digest)
        listed = {plugin.name: plugin.digest for plugin in await dispatcher.list_installed(workspace)}
    except errors.PlugportError:
        log.warning("the target of a failed delivery cannot be looked at", exc_info=True)
        return False
    return bool(known) and listed.get(name) == known[0]
