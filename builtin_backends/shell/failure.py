"""Says why a script failed: also if that is a tool or an option that the target does not have."""

from __future__ import annotations

from ...hookspecs.errors import PlugportError, UnsupportedTarget
from .channel import Channel, Completed
from .probe import probe
from .script import UNDERSTOOD, script_error


async def script_failure(channel: Channel, config_dir: str, name: str, completed: Completed) -> PlugportError:
    """Return the error for a script that failed. If its exit code does not say why, ask what the target lacks.

    Raises what the channel raises.
    """
    error = script_error(name, completed)
    if completed.exit_code in UNDERSTOOD:
        return error
    answer = await probe(channel, config_dir)
    if answer is None or not answer.missing:
        return error
    return UnsupportedTarget(f"there is no {', no '.join(answer.missing)}: {completed.failure(name)}")
