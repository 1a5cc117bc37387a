"""Builds the commands that run this package's scripts, and the errors if one fails."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from ...hookspecs.errors import DeliveryFailed, PlugportError, UnsupportedTarget
from .channel import Completed

TEXT_CHANGED: Final = 6
"""The exit code of `uninstall.sh` if a text has changed since it was read."""
_MISSING_TOOL: Final = 4
_NO_SHELL: Final = frozenset({126, 127})


def script_command(name: str, *arguments: str) -> list[str]:
    """Return the command that runs one of the scripts with these arguments."""
    text = files(__package__).joinpath("scripts", f"{name}.sh").read_text("utf-8")
    return ["sh", "-c", text, "plugport", *arguments]


def script_error(name: str, completed: Completed) -> PlugportError:
    """Return the error for a script that failed: `UnsupportedTarget` if the shell or a tool is missing, else
    `DeliveryFailed`."""
    reason = completed.failure(name)
    if completed.exit_code == _MISSING_TOOL or completed.exit_code in _NO_SHELL:
        return UnsupportedTarget(reason)
    return DeliveryFailed(reason)
