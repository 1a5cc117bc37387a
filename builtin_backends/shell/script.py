"""Builds the commands that run this package's scripts, and the errors if one fails."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from ...hookspecs.errors import DeliveryFailed, PlugportError, UnsupportedTarget
from .channel import Completed

FILE_CHANGED: Final = 6
"""The exit code of `uninstall.sh` if a file has changed since it was read."""
NOT_KEPT: Final = 7
"""The exit code of `restore.sh` if nothing of that digest is kept."""
_MISSING_TOOL: Final = 4
_NOT_WRITABLE: Final = 8
NO_SHELL: Final = frozenset({126, 127})
"""The exit codes of a command that could not be started."""
UNDERSTOOD: Final = frozenset({_MISSING_TOOL, 5, FILE_CHANGED, NOT_KEPT, _NOT_WRITABLE, *NO_SHELL})
"""The exit codes that say why a script failed."""
_KEEPING: Final = ("locking", "keeping")
_SHARED: Final = {
    "list": ("locking",),
    "install": _KEEPING,
    "uninstall": _KEEPING,
    "restore": _KEEPING,
    "activate": _KEEPING,
}
"""The texts that scripts begin with."""


def script_text(name: str) -> str:
    """Return the text of one of the scripts, with what it shares with others before it."""
    scripts = files(__package__).joinpath("scripts")
    return "".join(scripts.joinpath(f"{part}.sh").read_text("utf-8") for part in (*_SHARED.get(name, ()), name))


def script_command(name: str, *arguments: str, caller: str = "") -> list[str]:
    """Return the command that runs one of the scripts with these arguments, for the caller of that name."""
    return ["sh", "-c", script_text(name), f"plugport{caller}", *arguments]


class NotWritable(DeliveryFailed):
    """Raised if the user that the script ran as cannot write on the target; its owner may. Nothing was changed."""


def script_error(name: str, completed: Completed) -> PlugportError:
    """Return the error for a script that failed: `UnsupportedTarget` if the shell or a tool is missing, else
    `DeliveryFailed`."""
    reason = completed.failure(name)
    if completed.exit_code == _MISSING_TOOL or completed.exit_code in NO_SHELL:
        return UnsupportedTarget(reason)
    return NotWritable(reason) if completed.exit_code == _NOT_WRITABLE else DeliveryFailed(reason)
