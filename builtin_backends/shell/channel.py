"""The way to a target with a shell: all that the shared install, list and uninstall need of a backend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import BinaryIO, Protocol

from ...hookspecs.errors import DeliveryFailed, PlugportError, UnsupportedTarget


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ended: its exit code and its output."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class Channel(Protocol):
    """Runs commands on a target."""

    async def run(self, argv: Sequence[str], stdin: BinaryIO | None = None) -> Completed:
        """Run the command with `stdin`, a stream, on its standard input (nothing where it is None).

        Raises the tree's errors where the way itself breaks. When the call is cancelled the command is ended.
        """


def script(name: str, *arguments: str) -> list[str]:
    """The command that runs one of the scripts of this package with these arguments."""
    text = files(__package__).joinpath("scripts", f"{name}.sh").read_text("utf-8")
    return ["sh", "-c", text, "plugport", *arguments]


MISSING_TOOL = 4
CHANGED = 6
_NO_SHELL = frozenset({126, 127})


def failure(what: str, completed: Completed) -> PlugportError:
    """The error for a script that did not succeed; its last words are for the log."""
    words = completed.stderr[-2000:].decode("utf-8", "replace").strip()
    reason = f"{what} exited with {completed.exit_code}: {words}"
    if completed.exit_code == MISSING_TOOL or completed.exit_code in _NO_SHELL:
        return UnsupportedTarget(reason)
    return DeliveryFailed(reason)
