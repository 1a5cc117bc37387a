"""Texts and lists of words with holes.

Where the source does not tell a part, there stands a hole: `UNKNOWN`, or the name of a parameter between `MARK`s,
which the texts of a call fill.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

UNKNOWN = "\x01"
MARK = "\x00"
HOLE = re.compile(f"{MARK}([^{MARK}]*){MARK}")
Words: TypeAlias = tuple[str, ...]


def split(text: str) -> Words:
    """Return the words of a command in a text."""
    try:
        return tuple(shlex.split(text.replace("`", " ` ")))
    except ValueError:
        return tuple(text.split())


def filled(text: str, known: Mapping[str, Sequence[str]]) -> str:
    """Return a text with the holes filled that a call fills."""

    def fill(match: re.Match[str]) -> str:
        words = known.get(match.group(1))
        return match.group() if words is None else " ".join(words)

    return HOLE.sub(fill, text)


def filled_words(words: Iterable[str], known: Mapping[str, Sequence[str]]) -> Words:
    """Return words with the holes filled; a hole that is a word of its own takes all words that the call passes."""
    result: list[str] = []
    for word in words:
        match = HOLE.fullmatch(word)
        if match is not None and match.group(1) in known:
            result += known[match.group(1)]
        else:
            result.append(filled(word, known))
    return tuple(result)


def hole(name: str) -> str:
    """Return the hole of a parameter."""
    return f"{MARK}{name}{MARK}"


def holes(text: str) -> set[str]:
    """Return the names of the parameters that a text waits for."""
    return set(HOLE.findall(text))
