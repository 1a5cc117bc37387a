"""Texts and lists of words with holes.

Where the source does not tell a part, there stands a hole: `UNKNOWN`, or the name of a parameter between `MARK`s,
which the texts of a call fill.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, product
from typing import TypeAlias

UNKNOWN = "\x01"
MARK = "\x00"
HOLE = re.compile(f"{MARK}([^{MARK}]*){MARK}")
MOST = 8
"""Alternatives that are followed."""
_PERCENT = re.compile(r"%(?:\(\w+\))?[-+ #0-9.]*[a-zA-Z]")
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
        name, _, separator = match.group(1).partition("|")
        words = known.get(name)
        return match.group() if words is None else (separator or " ").join(words)

    return HOLE.sub(fill, text)


def filled_words(words: Iterable[str], known: Mapping[str, Sequence[str]]) -> Words:
    """Return words with the holes filled; a hole that is a word of its own takes all words that the call passes."""
    result: list[str] = []
    for word in words:
        match = HOLE.fullmatch(word)
        name = match.group(1).partition("|")[0] if match is not None else ""
        if match is not None and name in known:
            result += known[name]
        else:
            result.append(filled(word, known))
    return tuple(result)


def hole(name: str, *, is_many: bool = False) -> str:
    """Return the hole of a parameter; `is_many`: of `*args`."""
    return f"{MARK}{name}|{MARK}" if is_many else f"{MARK}{name}{MARK}"


def joined(words: Iterable[str], separator: str) -> str:
    """Return words as one text; a hole for several words keeps the separator."""
    return separator.join(
        f"{word[:-1]}{separator}{MARK}" if word.endswith(f"|{MARK}") and HOLE.fullmatch(word) else word
        for word in words
    )


def combined(parts: list[list[Words]]) -> list[Words]:
    """Return the lists of words that come of one choice from each part, at most `MOST`."""
    return [tuple(word for part in choice for word in part) for choice in islice(product(*parts), MOST)]


def filled_pattern(text: str, values: list[str]) -> str:
    """Return a text with `%s` and its like replaced by these values, as far as they go."""
    position = iter(values)
    return _PERCENT.sub(lambda match: next(position, UNKNOWN), text)


def holes(text: str) -> set[str]:
    """Return the names of the parameters that a text waits for."""
    return {name.partition("|")[0] for name in HOLE.findall(text)}
