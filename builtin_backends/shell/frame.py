"""Runs a command on a target so that its answer stands in a frame: what else is printed there is ignored."""

from __future__ import annotations

import base64
import binascii
import inspect
import re
import secrets
from collections.abc import Sequence
from importlib.resources import files
from typing import BinaryIO, Final

from ...hookspecs.errors import DeliveryFailed
from .channel import Channel, Completed, Frame
from .script import NO_SHELL

_ATTEMPTS: Final = 3
_OWN_MESSAGE: Final = b"plugport: "
_HALF_BYTES: Final = 8


async def run_framed(
    channel: Channel, argv: Sequence[str], stdin: BinaryIO | None = None, *, repeatable: bool = False
) -> Completed:
    """Run the command through `frame.sh`, and return what it printed and its exit code.

    If something printed into the middle of the answer, a command that is `repeatable` is repeated. A command that did
    not start has no frame: its exit code and its message are returned if they are of plugport's own scripts, or if
    there is no such program. Raises `DeliveryFailed` if there is no answer, and what the channel raises.
    """
    text = files(__package__).joinpath("scripts/frame.sh").read_text("utf-8")
    for _ in range(_ATTEMPTS if repeatable else 1):
        if stdin is not None and repeatable:
            stdin.seek(0)
        halves = (secrets.token_hex(_HALF_BYTES), secrets.token_hex(_HALF_BYTES))
        mark = "".join(halves).encode()
        completed = await _run(channel, ["sh", "-c", text, "plugport", *halves, *argv], stdin, mark)
        answer = _read(completed, mark)
        if answer is not None:
            return answer
        if mark not in completed.stdout:
            if completed.exit_code in NO_SHELL or (completed.exit_code and _OWN_MESSAGE in completed.stderr):
                return completed
            raise DeliveryFailed(completed.failure("the command was not started: what ran before it"))
    raise DeliveryFailed(completed.failure("the answer is cut or was printed into: the command"))


async def _run(channel: Channel, argv: Sequence[str], stdin: BinaryIO | None, mark: bytes) -> Completed:
    """Run the command by the channel. One of another team may not know frames, and sends the input at once."""
    if "frame" in inspect.signature(channel.run).parameters:
        return await channel.run(argv, stdin, frame=Frame(mark + b" ready\n", mark + b" end\n"))
    return await channel.run(argv, stdin)


def _read(completed: Completed, mark: bytes) -> Completed | None:
    """Return the answer in the frame, None if no frame is whole."""
    for start in re.finditer(re.escape(mark) + rb" (base64|hex) ([0-9]{1,12})\n", completed.stdout):
        end = start.end() + int(start[2])
        if completed.stdout.startswith(b"\n" + mark + b" end\n", end):
            try:
                body = _decoded(completed.stdout[start.end() : end], start[1])
            except (binascii.Error, ValueError):
                return None
            output, newline, code = body.rpartition(b"\n")
            if newline and code.isdigit():
                return Completed(int(code), output, completed.stderr)
    return None


def _decoded(text: bytes, kind: bytes) -> bytes:
    if kind == b"hex":
        return bytes.fromhex(text.decode("ascii"))
    return base64.b64decode(b"".join(text.split()), validate=True)
