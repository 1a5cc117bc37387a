"""Reads what the agents' own commands print."""

from __future__ import annotations

import json
from typing import Final, TypeVar

from ...hookspecs import Answer, Seen, SeenState

_MOST_LINES: Final = 5
_MOST_LETTERS: Final = 600
_Shape = TypeVar("_Shape", list, dict)  # type: ignore[type-arg]


def first_lines(text: str) -> str:
    """Return the start of what an agent said: a few lines, without control characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    plain = "\n".join("".join(letter for letter in line if letter.isprintable()) for line in lines[:_MOST_LINES])
    return plain[:_MOST_LETTERS]


def not_answered(answer: Answer) -> Seen | None:
    """Return UNKNOWN if the command is not there or did not end in time, None if it ended."""
    if answer.exit_code is None:
        return Seen(SeenState.UNKNOWN, "the agent did not answer in time")
    if answer.exit_code in {126, 127}:
        return Seen(SeenState.UNKNOWN, "the agent's command is not on the target's PATH")
    return None


def failed(answer: Answer) -> Seen:
    """Return what a command that failed says: the agent refuses to start."""
    words = first_lines((answer.errors or answer.output).decode("utf-8", "replace"))
    return Seen(SeenState.NO, "the agent's own command failed", words or None, broken=True)


def text_answer(answer: Answer) -> str | Seen:
    """Return what the command printed, standard output and error, or what its failure says."""
    ended = not_answered(answer)
    if ended is not None:
        return ended
    if answer.exit_code != 0:
        return failed(answer)
    return (answer.output + b"\n" + answer.errors).decode("utf-8", "replace")


def json_answer(answer: Answer, shape: type[_Shape]) -> _Shape | Seen:
    """Return the JSON that the command printed, of that type, or what its failure says."""
    text = text_answer(answer)
    if isinstance(text, Seen):
        return text
    try:
        value = json.loads(answer.output)
    except (ValueError, RecursionError):
        return Seen(SeenState.UNKNOWN, "the agent printed no JSON")
    if not isinstance(value, shape):
        return Seen(SeenState.UNKNOWN, "the agent printed JSON of another shape")
    return value
