"""Takes a plugin's blocks out of an agent's memory file, byte for byte, and leaves what somebody edited.

The runtime's adaptor appends a block for each rule and fragment: a marker line, an empty line, the text, an empty
line. The file may be in any encoding and mix line ends; only the bytes of whole blocks go.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...hookspecs.json import JSON
from ...hookspecs.values import Edited

_LINE: Final = re.compile(rb"[^\r\n]*+(?:\r\n|\n|\r|\Z)")
_NEWLINE: Final = re.compile(rb"\r\n|\n|\r")
_FENCE: Final = re.compile(rb" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_MOST_ORIGINALS: Final = 16
_ANY_MARKER: Final = b"# Plugin: "


@dataclass(frozen=True, slots=True)
class Block:
    """What the adaptor appends for one file of a plugin.

    `kind` is `rule` (a file of `rules/`) or `fragment` (another Markdown file at the root). `text` is None if
    the file is too long to be remembered or is not UTF-8: such a block is only named, never removed.
    """

    plugin: str
    kind: str
    file: str
    text: str | None

    @property
    def marker(self) -> bytes:
        """The line by which the adaptor finds its block again, without its end."""
        return _encoded(f"# Plugin: {self.plugin} / {self.kind}: {self.file}")

    @property
    def label(self) -> str:
        """How `left` names it."""
        return f"{self.kind}: {self.file}"


@dataclass(frozen=True, slots=True)
class MemoryBefore:
    """A memory file before a plugin came.

    `existed`: whether it was there without any plugin's blocks. `markers`: those of the plugin's markers that were in
    it and that plugport had not brought. `originals`: size in bytes and sha256 in hex of the file then, and of the
    file before the other plugins came, the newest first: an adaptor only appends to it.
    """

    existed: bool
    markers: tuple[str, ...] = ()
    originals: tuple[tuple[int, str], ...] = ()

    def to_json(self) -> JSON:
        """As the store keeps it."""
        originals: list[JSON] = [[size, sha256] for size, sha256 in self.originals]
        return {"existed": self.existed, "markers": list(self.markers), "originals": originals}

    @classmethod
    def from_json(cls, stored: JSON) -> MemoryBefore | None:
        """What `to_json` gave; None if it is something else, as in rows of the first release."""
        if not isinstance(stored, Mapping):
            return None
        record: Mapping[str, Any] = stored
        try:
            originals = tuple((int(size), str(sha256)) for size, sha256 in record["originals"])
            return cls(bool(record["existed"]), tuple(map(str, record["markers"])), originals)
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Appended:
    """The blocks that a version of a plugin brings, and what the file was before it (None: nobody looked)."""

    blocks: tuple[Block, ...]
    before: MemoryBefore | None = None

    def brought(self) -> Iterator[Block]:
        """The blocks that were not there before."""
        kept = {_encoded(marker) for marker in self.before.markers} if self.before is not None else set()
        return (block for block in self.blocks if block.marker not in kept)


def observe_memory(content: bytes | None, blocks: Iterable[Block], known: Sequence[Appended] = ()) -> MemoryBefore:
    """What `content`, a memory file now (None: no file), holds before a plugin with `blocks` comes.

    `known` is what the plugins that are installed here brought, earlier versions of this one included. Pure; linear.
    """
    if content is None:
        return MemoryBefore(existed=False)
    there = {line.rstrip(b"\r\n") for _, line in _lines(content, 0)} & {block.marker for block in blocks}
    brought = {block.marker for appended in known for block in appended.brought()}
    markers = there - brought
    without = remove_blocks(content, known)
    inherited = [
        original for appended in known if appended.before is not None for original in appended.before.originals
    ]
    current = [] if there & brought else [_original(content)]  # with blocks of an earlier version it is no original
    originals = dict.fromkeys([*current, *sorted(inherited, reverse=True)])
    return MemoryBefore(
        existed=without.content is not None,
        markers=tuple(sorted(marker.decode("utf-8", "surrogateescape") for marker in markers)),
        originals=tuple(originals)[:_MOST_ORIGINALS],
    )


def remove_blocks(content: bytes, own: Sequence[Appended]) -> Edited:
    """The memory without the blocks of a plugin whose text is still what one of its versions, `own`, shipped.

    What has the marker and another text stays and is named in `left`; so is a block whose text is not known. A block
    inside a closed code fence is a quotation and stays. What was there before a version stays. A file that did not
    exist before goes with its last block. Pure; linear in time; may be repeated.
    """
    memories_before = [appended.before for appended in own if appended.before is not None]
    unchanged = [_unchanged_size(content, before) for before in memories_before]
    original = min((size for size in unchanged if size is not None), default=None)
    removal = _Removal(content, [block for appended in own for block in appended.brought()], original)
    removal.scan()
    left = tuple(removal.left)
    if not removal.spans:
        return Edited(content, left)
    kept, position = [], 0
    for start, end in removal.spans:
        kept.append(content[position:start])
        position = end
    rest = b"".join((*kept, content[position:]))
    if original is not None and not rest[original:].strip(b"\r\n"):
        rest = rest[:original]  # an adaptor may break the last line before its first block
    existed = any(before.existed for before in memories_before)
    return Edited(rest if rest or existed else None, left)


def _unchanged_size(content: bytes, before: MemoryBefore) -> int | None:
    """Return the size of the newest original that the content still begins with."""
    matches = (size for size, sha256 in before.originals if _original(content[:size]) == (size, sha256))
    return next(matches, None)


def _original(content: bytes) -> tuple[int, str]:
    return len(content), hashlib.sha256(content).hexdigest()


def _encoded(marker: str) -> bytes:
    return marker.encode("utf-8", "surrogateescape")


class _Removal:
    """One pass over the lines: `spans` are the blocks that go, `left` the names of those that stay."""

    def __init__(self, content: bytes, blocks: Iterable[Block], start: int | None) -> None:
        self._content, self._start = content, start or 0
        self._blocks: dict[bytes, list[Block]] = {}
        for block in blocks:
            self._blocks.setdefault(block.marker, []).append(block)
        self.spans: list[tuple[int, int]] = []
        self.left: dict[str, None] = {}

    def scan(self) -> None:
        """Fill `spans` and `left`."""
        if _ANY_MARKER not in self._content:
            return
        # What an adaptor appended to an unchanged file stands behind it, whatever fence may be open there.
        position, fences = self._start, _Fences(self._content, self._start)
        while position < len(self._content):
            line = _LINE.match(self._content, position)
            end = line.end() if line else len(self._content)
            text = self._content[position:end].rstrip(b"\r\n")
            blocks = self._blocks.get(text)
            if blocks is not None and not fences.is_open:
                block_end = self._end_of_block(end, blocks)
                if block_end is not None:
                    self.spans.append((position, block_end))
                    position = block_end
                    continue
                self.left[blocks[0].label] = None
            fences.pass_line(position, text)
            position = end

    def _end_of_block(self, position: int, blocks: Iterable[Block]) -> int | None:
        """Where a block ends whose body, behind its marker line, is one of those shipped; behind its empty line."""
        empty = _NEWLINE.match(self._content, position)
        starts = (empty.end(), position) if empty else (position,)
        bodies = {body for block in blocks if block.text is not None for body in _bodies(block.text)}
        for body, own_breaks in sorted(bodies, key=lambda form: (-len(form[0]), -form[1])):
            for start in starts:
                end = _end_of_body(self._content, start, body)
                if end is None:
                    continue
                breaks = _breaks(self._content, end)
                behind = breaks[-1] if breaks else end
                if behind == len(self._content) or self._content.startswith(_ANY_MARKER, behind):
                    return breaks[min(len(breaks), own_breaks + 2) - 1] if breaks else end
                if len(breaks) >= 2:
                    return breaks[1]
        return None


class _Fences:
    """Whether a line stands in a code fence (CommonMark, section 4.5) that is closed further down."""

    def __init__(self, content: bytes, start: int) -> None:
        self._closers: dict[bytes, list[tuple[int, int]]] = {b"`": [], b"~": []}
        for position, line in _lines(content, start):
            text = line.strip(b" \t\r\n")
            if len(text) >= 3 and text[:1] in self._closers and not text.strip(text[:1]):
                self._closers[text[:1]].append((position, len(text)))
        for closers in self._closers.values():  # for each, the longest from there on
            for index in range(len(closers) - 2, -1, -1):
                position, length = closers[index]
                closers[index] = position, max(length, closers[index + 1][1])
        self._next = {b"`": 0, b"~": 0}
        self._opened: tuple[bytes, int] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the next line stands inside of a fence."""
        return self._opened is not None

    def pass_line(self, position: int, text: bytes) -> None:
        """Go past a line, given without its end."""
        if self._opened is not None:
            char, length = self._opened
            stripped = text.strip(b" \t")
            if len(stripped) >= length and stripped.startswith(char) and not stripped.strip(char):
                self._opened = None
            return
        match = _FENCE.match(text)
        if match is not None and self._is_closed(match[1][:1], len(match[1]), position):
            self._opened = match[1][:1], len(match[1])

    def _is_closed(self, char: bytes, length: int, position: int) -> bool:
        closers = self._closers[char]
        while self._next[char] < len(closers) and closers[self._next[char]][0] <= position:
            self._next[char] += 1
        return self._next[char] < len(closers) and closers[self._next[char]][1] >= length


def _lines(content: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    while start < len(content):
        line = _LINE.match(content, start)
        end = line.end() if line else len(content)
        yield start, content[start:end]
        start = end


def _bodies(text: str) -> set[tuple[tuple[bytes, ...], int]]:
    """A text, line by line, as an adaptor may have written it: as it was, or without the white space around it; and
    how many line breaks of the text's own may stand behind it."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    own = len(plain) - len(plain.rstrip("\n"))
    forms = {plain.rstrip("\n"), plain.rstrip(), plain.strip(), plain.strip("\n")}
    return {(tuple(form.encode("utf-8", "surrogatepass").split(b"\n")), own) for form in forms}


def _end_of_body(content: bytes, position: int, body: Sequence[bytes]) -> int | None:
    for index, line in enumerate(body):
        if not content.startswith(line, position):
            return None
        position += len(line)
        if index < len(body) - 1:
            newline = _NEWLINE.match(content, position)
            if newline is None:
                return None
            position = newline.end()
    return position


def _breaks(content: bytes, position: int) -> list[int]:
    """The ends of the line breaks that follow directly."""
    ends = []
    while newline := _NEWLINE.match(content, position):
        position = newline.end()
        ends.append(position)
    return ends
