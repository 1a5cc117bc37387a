"""Defines how the shared scripts reach a target with a shell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

from ...hookspecs.errors import BackendUnavailable, DeliveryFailed, DeliveryTimeout
from ..output_tail import output_tail

CHUNK: Final = 1 << 18
"""Bytes per write. Smaller chunks cost time, larger ones memory."""
MAX_OUTPUT: Final = 64 * 1024 * 1024
"""The most bytes that a channel keeps of a command's output."""
READY_SECONDS: Final = 30.0
"""How long a channel waits until a command that has input is ready."""
NOT_READY: Final = "the command did not start in time: what a login shell runs first may wait for input"
OUTPUT_TOO_LARGE: Final = f"the command printed more than {MAX_OUTPUT} bytes"


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ended: its exit code and its output."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    def failure(self, command: str) -> str:
        """Describe the failed command for the log: its exit code and the end of its standard error."""
        return f"{command} exited with {self.exit_code}: {output_tail(self.stderr)}"


@contextmanager
def unavailable_on_failure() -> Iterator[None]:
    """Raise `BackendUnavailable` for what a channel and the scripts raise as if it were a delivery.

    For what delivers nothing: a look, a list, a restart.
    """
    try:
        yield
    except (DeliveryFailed, DeliveryTimeout) as error:
        raise BackendUnavailable(error.reason) from error


@dataclass(frozen=True, slots=True)
class Frame:
    """How a command says that it has started, and that it has answered.

    It prints `ready` on its standard output when it has started, and `end` last. What is printed before, between and
    after comes from something else on the target, such as a login shell.
    """

    ready: bytes
    end: bytes

    def is_ready(self, output: bytes | bytearray) -> bool:
        """Tell whether the command has started."""
        return self.ready in output

    def is_over(self, output: bytes | bytearray, added: int) -> bool:
        """Tell whether the last `added` bytes of the output have brought its end."""
        return output.find(self.end, max(0, len(output) - added - len(self.end))) >= 0


class Channel(Protocol):
    """Runs commands on a target."""

    async def run(self, argv: Sequence[str], stdin: BinaryIO | None = None, frame: Frame | None = None) -> Completed:
        """Run the command with the stream `stdin` on its standard input, or with an empty input if it is None.

        With a `frame`, nothing is sent before the command is ready, and the call returns when its end was printed,
        with whatever exit code. A channel without this argument sends the input at once.

        Raises the tree's errors if the connection to the target fails, and `DeliveryTimeout` if the command is not
        ready within `READY_SECONDS`. If the call is cancelled, the command is ended.
        """
