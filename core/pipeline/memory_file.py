"""Removes a plugin's blocks from an agent's memory file, and leaves what somebody edited."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...hookspecs.values import Cleaned

_NEWLINES = re.compile(r"\n*")


@dataclass(frozen=True, slots=True)
class Block:
    """What the runtime's adaptor appends for one file: a marker line, an empty line, the text, an empty line.

    `kind` is `rule` (a file of `rules/`) or `fragment` (another Markdown file at the root).
    """

    plugin: str
    kind: str
    file: str
    text: str

    @property
    def marker(self) -> str:
        """The line by which the adaptor recognises its block."""
        return f"# Plugin: {self.plugin} / {self.kind}: {self.file}"


def remove_blocks(text: str, blocks: Sequence[Block]) -> Cleaned:
    """Remove the blocks whose text is exactly that of one of `blocks`.

    Several blocks may share a marker: the versions of one file. A block with the marker and another text was edited:
    it stays, and `Cleaned.left` names it. Pure; a text without such a block is returned unchanged.
    """
    left: list[str] = []
    cleaned = text.replace("\r\n", "\n") if "\r\n" in text else text
    original = cleaned
    for marker in dict.fromkeys(block.marker for block in blocks):
        of_marker = [block for block in blocks if block.marker == marker]
        cleaned, edited = _remove_marked(cleaned, marker, [block.text for block in of_marker])
        left += [f"{of_marker[0].kind}: {of_marker[0].file}"] * edited
    if cleaned == original:
        return Cleaned(text, tuple(left))
    restored = cleaned.replace("\n", "\r\n") if original != text else cleaned
    return Cleaned(restored or None, tuple(left))


def _remove_marked(text: str, marker: str, shipped: Iterable[str]) -> tuple[str, bool]:
    """Remove the marker's blocks with a shipped text; return also whether a block with another text is left."""
    bodies = sorted(
        {form for block_text in shipped for form in _forms(block_text)}, key=lambda form: (-len(form[0]), -form[1])
    )
    line = re.compile(rf"^{re.escape(marker)}\n\n?", re.MULTILINE)
    position, edited = 0, False
    while match := line.search(text, position):
        end = _end_of_block(text, match.end(), bodies)
        if end is None:
            edited, position = True, match.end()
        else:
            text, position = text[: match.start()] + text[end:], match.start()
    return text, edited or bool(re.search(rf"^{re.escape(marker)}\Z", text, re.MULTILINE))


def _forms(shipped: str) -> set[tuple[str, int]]:
    """Return the forms in which an adaptor may have written a text, with or without the white space around it. The
    number says how many line breaks after it may belong to the block: the text's own, and two more."""
    plain = shipped.replace("\r\n", "\n")
    own = len(plain) - len(plain.rstrip("\n"))
    return {(form, own + 2) for form in (plain.rstrip("\n"), plain.rstrip(), plain.strip(), plain.strip("\n"))}


def _end_of_block(text: str, start: int, bodies: Iterable[tuple[str, int]]) -> int | None:
    """Return where the block ends (after its empty line) if its body is one of `bodies`, else None."""
    for body, breaks in bodies:
        if not text.startswith(body, start):
            continue
        end = start + len(body)
        newlines = _NEWLINES.match(text, end)
        after = newlines.end() if newlines else end
        if after == len(text) or text.startswith("# Plugin: ", after):
            return min(after, end + breaks)
        if after - end >= 2:
            return end + 2
    return None
