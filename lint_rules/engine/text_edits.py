"""Applies edits to a text: whole fixes, those that do not overlap, and no other character."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from .contract import Fix, TextEdit

_LINE_END = re.compile(r"\r\n|\r|\n")
_Range = tuple[int, int, str]


def apply_fixes(text: str, fixes: Sequence[Fix]) -> tuple[str, int]:
    """Return the text after as many of the fixes as do not overlap, the first ones first, and how many these are.

    Two fixes may share an edit, as the import that both need; only edits of one fix may insert at the same place. The
    lines of an edit end as the text's lines do.
    """
    ends = _LINE_END.search(text)
    newline = ends[0] if ends is not None else "\n"
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    taken: list[_Range] = []
    count = 0
    for fix in fixes:
        ranges = [_range(edit, starts, len(text), newline) for edit in fix.edits]
        new = [edit for edit in ranges if edit not in taken]
        if new and not any(_overlap(edit, other) for edit in new for other in taken) and _are_apart(new):
            count += 1
            taken += new
    parts, end = [], 0
    for start, stop, replacement in sorted(taken, key=lambda edit: edit[:2]):
        parts += [text[end:start], replacement]
        end = stop
    return "".join([*parts, text[end:]]), count


def _range(edit: TextEdit, starts: Sequence[int], length: int, newline: str) -> _Range:
    span = edit.span
    text = _LINE_END.sub(lambda _: newline, edit.text)
    return (
        _offset(span.line, span.column, starts, length),
        _offset(span.end_line, span.end_column, starts, length),
        text,
    )


def _offset(line: int, column: int, starts: Sequence[int], length: int) -> int:
    return min(starts[line - 1] + column - 1, length) if line <= len(starts) else length


def _overlap(edit: _Range, other: _Range) -> bool:
    """Return whether two edits touch the same characters, or insert at the same place."""
    return edit[:2] == other[:2] or (edit[0] < other[1] and other[0] < edit[1])


def _are_apart(edits: Sequence[_Range]) -> bool:
    """Return whether the edits of one fix touch no character twice."""
    ordered = sorted(edits, key=lambda edit: edit[:2])
    return all(first[1] <= second[0] for first, second in pairwise(ordered))
