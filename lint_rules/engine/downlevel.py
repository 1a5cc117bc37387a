"""Rewrites syntax that is newer than the running interpreter as older syntax of the same length.

With it the gates read Python 3.11 to 3.15 under any interpreter from 3.11 on, and lines and columns stay right. The
result has the same meaning for a gate: `except A, B:` becomes `except A| B:`, type parameters become blanks, a
t-string becomes an f-string, `type X = int` becomes `type;X = int`, `lazy import x` becomes `lazy;import x`, and
`[*row for row in rows]` loses its star. downlevel_fstrings.py handles strings inside the fields of f-strings.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Sequence

from .downlevel_fstrings import downlevel_fstrings

_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_IGNORED = frozenset({tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT})


def downlevel(text: str) -> str:
    """Return the text in older syntax. Raises `SyntaxError` if it cannot even be split into tokens."""
    older = downlevel_fstrings(text)
    try:
        tokens = [t for t in tokenize.generate_tokens(io.StringIO(older).readline) if t.type not in _IGNORED]
    except (tokenize.TokenError, RecursionError) as error:
        raise SyntaxError(str(error)) from error
    lines = [list(line) for line in io.StringIO(older, newline="")]
    for index, token in enumerate(tokens):
        starts = index == 0 or tokens[index - 1].type == tokenize.NEWLINE or tokens[index - 1].string in (":", ";")
        if token.type == tokenize.NAME:
            _name(tokens, index, starts, lines)
        elif token.string in _OPEN:
            _unpacked_comprehension(tokens, index, lines)
    return "".join("".join(line) for line in lines)


def _name(tokens: Sequence[tokenize.TokenInfo], index: int, starts: bool, lines: list[list[str]]) -> None:
    token, rest = tokens[index], tokens[index + 1 : index + 3]
    if len(rest) < 2:
        return
    if token.string in ("def", "class") and rest[1].string == "[":
        _blank_brackets(tokens, index + 2, lines)
    elif starts and token.string == "type" and rest[0].type == tokenize.NAME and rest[1].string in ("=", "["):
        _put(lines, token.end, ";")
        if rest[1].string == "[":
            _blank_brackets(tokens, index + 2, lines)
    elif starts and token.string == "lazy" and rest[0].string in ("import", "from"):
        _put(lines, token.end, ";")
    elif starts and token.string == "except":
        depth = 0
        for other in tokens[index + 1 :]:
            depth += (other.string in _OPEN) - (other.string in _CLOSE)
            if depth == 0 and other.string == ",":
                _put(lines, other.start, "|")
            if other.type == tokenize.NEWLINE or (depth == 0 and other.string == ":"):
                break


def _unpacked_comprehension(tokens: Sequence[tokenize.TokenInfo], index: int, lines: list[list[str]]) -> None:
    star = tokens[index + 1] if index + 1 < len(tokens) else None
    if star is None or star.string not in ("*", "**"):
        return
    depth = 0
    for token in tokens[index:]:
        depth += (token.string in _OPEN) - (token.string in _CLOSE)
        if depth == 0 or (depth == 1 and token.string == ","):
            return
        if depth == 1 and token.string == "for":
            _put(lines, star.start, " " * len(star.string))
            return


def _blank_brackets(tokens: Sequence[tokenize.TokenInfo], index: int, lines: list[list[str]]) -> None:
    depth = 0
    for token in tokens[index:]:
        depth += (token.string in _OPEN) - (token.string in _CLOSE)
        if depth == 0:
            _blank(lines, tokens[index].start, token.end)
            return


def _blank(lines: list[list[str]], start: tuple[int, int], end: tuple[int, int]) -> None:
    for row in range(start[0], end[0] + 1):
        line = lines[row - 1]
        first = start[1] if row == start[0] else 0
        last = end[1] if row == end[0] else len("".join(line).rstrip("\r\n"))
        line[first:last] = " " * (last - first)
        if row < end[0] and last > 0:
            line[last - 1] = "\\"


def _put(lines: list[list[str]], place: tuple[int, int], characters: str) -> None:
    row, column = place
    lines[row - 1][column : column + len(characters)] = characters
