"""Takes an activation back: the target is as it was, but for what somebody edited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...hookspecs import errors
from ...hookspecs.values import Removal, Workspace
from ..dispatcher import Dispatcher
from .activate import plan_undo, undo_query
from .activation.record import ActivationRecord

_ATTEMPTS: Final = 3


async def take_back(
    dispatcher: Dispatcher,
    workspace: Workspace,
    name: str,
    records: Sequence[ActivationRecord],
    timeout: float,
    *,
    whole: bool,
) -> tuple[str, ...]:
    """Undo the activations of a plugin, and with `whole` remove its directory, too. Return what stays or is kept.

    May be repeated. Raises what the hooks `inspect_target` and `uninstall` raise.
    """
    for _ in range(_ATTEMPTS):
        state = await dispatcher.inspect_target(workspace, undo_query(records))
        undo = plan_undo(state, name, records)
        removal = Removal(name, keeps_plugin=not whole, changes=undo.changes)
        receipt = await dispatcher.uninstall(workspace, removal, timeout)
        if not receipt.refused:
            return (*undo.left, *receipt.left, *receipt.kept_files)
    raise errors.DeliveryFailed(f"{receipt.refused[0]} kept changing while the activation was taken back")
