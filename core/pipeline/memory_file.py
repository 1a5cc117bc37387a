"""Takes a plugin's blocks out of an agent's memory file, and leaves what somebody edited."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...hookspecs.values import Cleaned

_NEWLINES = re.compile(r"\n*")


@dataclass(frozen=True, slots=True)
class Block:
    """What the adaptor appends for one file: a marker line, an empty line, the text, an empty line.

    `kind` is `rule` (a file of `rules/`) or `fragment` (another Markdown file at the root).
    """

    plugin: str
    kind: str
    file: str
    text: str

    @property
    def marker(self) -> str:
        """The line by which the adaptor finds its block again."""
        return f"# Plugin: {self.plugin} / {self.kind}: {self.file}"


def without_blocks(text: str, blocks: Sequence[Block]) -> Cleaned:
    """The memory's text without the blocks whose text is still what one of `blocks` says, whole.

    Several blocks may share a marker: generations of one file. What has the marker and another text stays, and is
    named. Pure; a text that has no block comes back unchanged.
    """
    left: list[str] = []
    cleaned = text.replace("\r\n", "\n") if "\r\n" in text else text
    whole = cleaned
    for marker in dict.fromkeys(block.marker for block in blocks):
        of_marker = [block for block in blocks if block.marker == marker]
        cleaned, edited = _without(cleaned, marker, [block.text for block in of_marker])
        left += [f"{of_marker[0].kind}: {of_marker[0].file}"] * edited
    if cleaned == whole:
        return Cleaned(text, tuple(left))
    restored = cleaned.replace("\n", "\r\n") if whole != text else cleaned
    return Cleaned(restored or None, tuple(left))


def _without(text: str, marker: str, shipped: Iterable[str]) -> tuple[str, bool]:
    """The text without every whole block of the marker, and whether one of another text is left."""
    bodies = sorted({form for one in shipped for form in _forms(one)}, key=lambda form: (-len(form[0]), -form[1]))
    line = re.compile(rf"^{re.escape(marker)}\n\n?", re.MULTILINE)
    position, edited = 0, False
    while found := line.search(text, position):
        end = _end_of_block(text, found.end(), bodies)
        if end is None:
            edited, position = True, found.end()
        else:
            text, position = text[: found.start()] + text[end:], found.start()
    return text, edited or bool(re.search(rf"^{re.escape(marker)}\Z", text, re.MULTILINE))


def _forms(shipped: str) -> set[tuple[str, int]]:
    """A text as an adaptor may have written it: as it was, or without the white space around it; and how many line
    breaks may belong to the block behind it: the text's own, and two more."""
    plain = shipped.replace("\r\n", "\n")
    own = len(plain) - len(plain.rstrip("\n"))
    return {(form, own + 2) for form in (plain.rstrip("\n"), plain.rstrip(), plain.strip(), plain.strip("\n"))}


def _end_of_block(text: str, start: int, bodies: Iterable[tuple[str, int]]) -> int | None:
    """Where a block ends whose body is one of `bodies`: behind its empty line."""
    for body, breaks in bodies:
        if not text.startswith(body, start):
            continue
        end = start + len(body)
        newlines = _NEWLINES.match(text, end)
        behind = newlines.end() if newlines else end
        last = behind == len(text)
        if last or text.startswith("# Plugin: ", behind):
            return min(behind, end + breaks)
        if behind - end >= 2:
            return end + 2
    return None
