"""A text that only grows: every insertion is remembered, so that it can be taken out again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate


class GrownText:
    """The bytes `original`, and what is inserted into them."""

    def __init__(self, original: bytes) -> None:
        self._pieces: list[tuple[bytes, bool]] = [(original, False)]

    @property
    def content(self) -> bytes:
        """The bytes as they are now."""
        return b"".join(piece for piece, _ in self._pieces)

    def insert(self, offset: int, text: bytes) -> None:
        """Insert the text so that it begins at `offset` of the present content."""
        pieces: list[tuple[bytes, bool]] = []
        position = 0
        for piece, inserted in self._pieces:
            if position <= offset < position + len(piece):
                cut = offset - position
                pieces += [(piece[:cut], inserted), (text, True), (piece[cut:], inserted)]
                offset = -1
            else:
                pieces.append((piece, inserted))
            position += len(piece)
        if offset >= 0:
            pieces.append((text, True))
        self._pieces = [piece for piece in pieces if piece[0]]

    def become(self, content: bytes) -> bool:
        """Insert what `content` has more than the present content, if that is one run of bytes; else return False."""
        before = self.content
        extra = len(content) - len(before)
        start = _common_prefix(before, content)
        if extra < 0 or before[start:] != content[start + extra :]:
            return False
        if extra:
            self.insert(start, content[start : start + extra])
        return True

    def insertions(self) -> Iterator[tuple[int, bytes]]:
        """Yield each run of inserted bytes with its offset in the present content."""
        starts = accumulate((len(piece) for piece, _ in self._pieces), initial=0)
        merged: list[tuple[int, bytes]] = []
        for start, (piece, inserted) in zip(starts, self._pieces, strict=False):
            if inserted and merged and sum((merged[-1][0], len(merged[-1][1]))) == start:
                merged[-1] = (merged[-1][0], merged[-1][1] + piece)
            elif inserted:
                merged.append((start, piece))
        return iter(merged)


def without_insertions(content: bytes, insertions: Iterable[tuple[int, bytes]]) -> bytes:
    """Return the content as it was before these insertions, which lie at these offsets in it."""
    for start, text in sorted(insertions, reverse=True):
        content = content[:start] + content[start + len(text) :]
    return content


def _common_prefix(first: bytes, second: bytes) -> int:
    """Return how many bytes the two have in common at their beginning."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[:middle] == second[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
