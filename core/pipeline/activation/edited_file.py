"""A file of the agent's that holds something of a plugin: what was inserted, and how it is taken out again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ....hookspecs.errors import ActivationFault
from ....hookspecs.json import JSON
from ....hookspecs.values import FileSyntax, MemoryText, SettingsEntry
from .entry_fault import EntryFault
from .grown_text import GrownText, without_insertions
from .json_entries import containers_made, insert_json, is_empty_object, remove_json
from .toml_entries import insert_toml, remove_toml
from .yaml_entries import insert_yaml, remove_yaml

_MEMORY: Final = "memory"
_JSON: Final = frozenset({FileSyntax.JSON, FileSyntax.JSONC})


@dataclass(frozen=True, slots=True)
class InsertedEntry:
    """An entry that was not there before: see `SettingsEntry`. `made` is the number of containers made for it."""

    keys: tuple[str, ...]
    value: JSON
    append: bool
    made: int


@dataclass(frozen=True, slots=True)
class EditedFile:
    """What a plugin has in a file.

    `syntax` is a `FileSyntax`, or `memory`. `existed` says whether the file was there before. `digest` is the sha256
    of the bytes that were written, and `insertions` are the runs of bytes in them that came with the plugin.
    """

    syntax: str
    existed: bool
    digest: str = ""
    insertions: tuple[tuple[int, bytes], ...] = ()
    entries: tuple[InsertedEntry, ...] = ()

    def to_json(self) -> dict[str, JSON]:
        """Return this as the record of the installed plugin holds it."""
        return {
            "syntax": self.syntax,
            "existed": self.existed,
            "digest": self.digest,
            "insertions": [[start, text.decode("latin-1")] for start, text in self.insertions],
            "entries": [[list(entry.keys), entry.value, entry.append, entry.made] for entry in self.entries],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> EditedFile:
        """Read what `to_json` returned."""
        return cls(
            stored["syntax"],
            stored["existed"],
            stored["digest"],
            tuple((start, text.encode("latin-1")) for start, text in stored["insertions"]),
            tuple(InsertedEntry(tuple(keys), value, append, made) for keys, value, append, made in stored["entries"]),
        )


@dataclass(frozen=True, slots=True)
class Stripped:
    """A file without what a plugin has in it: `content` is None if nothing is left, `left` says what stays."""

    content: bytes | None
    left: tuple[str, ...] = ()


def strip(content: bytes | None, record: EditedFile) -> Stripped:
    """Take out of a file what the record says, and nothing else. Pure; may be repeated."""
    if content is None:
        return Stripped(None)
    if hashlib.sha256(content).hexdigest() == record.digest:
        return _emptied(Stripped(without_insertions(content, record.insertions)), record)
    if record.syntax in _JSON:
        return _emptied(_without_entries(content, record), record)
    return _emptied(_without_texts(content, record), record)


def _without_entries(content: bytes, record: EditedFile) -> Stripped:
    """Take the entries out of JSON by what they are, wherever they are now."""
    left = []
    for entry in reversed(record.entries):
        edited = remove_json(content, entry.keys, entry.value, append=entry.append, made=entry.made)
        if edited is None:
            left.append(".".join(entry.keys))
        else:
            content = edited
    return Stripped(content, tuple(left))


def _without_texts(content: bytes, record: EditedFile) -> Stripped:
    """Take the inserted texts out where they still stand as they were written."""
    edited = content
    for _, text in reversed(record.insertions):
        for spelling in (text, text.strip() + b"\n", text.strip()):
            if edited.count(spelling) == 1:
                edited = edited.replace(spelling, b"")
                break
    if record.syntax == _MEMORY:
        markers = [text.strip().partition(b"\n")[0].rstrip() for _, text in record.insertions]
        return Stripped(edited, ("its text was edited",) if any(marker in edited for marker in markers) else ())
    left = []
    for entry in reversed(record.entries):
        parser = remove_toml if record.syntax == FileSyntax.TOML else remove_yaml
        stripped = parser(edited, entry.keys, entry.value, append=entry.append)
        if stripped is None:
            left.append(".".join(entry.keys))
        else:
            edited = stripped
    return Stripped(edited, tuple(left))


def _emptied(stripped: Stripped, record: EditedFile) -> Stripped:
    """Delete a file that was made for the plugin if nothing is left in it."""
    content = stripped.content
    if record.existed or content is None or stripped.left:
        return stripped
    empty = is_empty_object(content) if record.syntax in _JSON else not content.strip()
    return Stripped(None) if empty else stripped


def insert_entries(
    content: bytes | None, entries: Sequence[SettingsEntry], existed: bool
) -> tuple[bytes | None, EditedFile | None]:
    """Put the entries into a file. Return its new bytes, and the record of what came into it.

    The record is None, and the bytes are the old ones, if all of it was there already. Raises `EntryFault`.
    """
    text = GrownText(content or b"")
    inserted: list[InsertedEntry] = []
    for entry in entries:
        made = 0
        if entry.syntax in _JSON:
            strict = entry.syntax is FileSyntax.JSON
            made = _containers(text.content, entry)
            changed = insert_json(text, entry.keys, entry.value, append=entry.append, strict=strict)
        elif entry.syntax is FileSyntax.TOML:
            changed = insert_toml(text, entry.keys, entry.value, append=entry.append)
        else:
            changed = insert_yaml(text, entry.keys, entry.value, append=entry.append)
        if changed:
            inserted.append(InsertedEntry(entry.keys, entry.value, entry.append, made))
    if not inserted:
        return content, None
    return _recorded(text, EditedFile(str(entries[0].syntax), existed, entries=tuple(inserted)))


def _containers(content: bytes, entry: SettingsEntry) -> int:
    return containers_made(content, entry.keys, append=entry.append)


def insert_text(content: bytes | None, name: str, memory: MemoryText, existed: bool) -> tuple[bytes, EditedFile]:
    """Append a plugin's text to a memory file, between two marker lines. Raises `EntryFault` if they are there."""
    begin, end = f"<!-- plugport: {name} -->", f"<!-- plugport: end of {name} -->"
    before = content or b""
    if begin.encode() in before:
        raise EntryFault(ActivationFault.CONFLICT, before[: before.index(begin.encode())].count(b"\n") + 1)
    newline = "\r\n" if b"\r\n" in before else "\n"
    body = "\n".join(line.rstrip("\r") for line in memory.text.strip("\n").split("\n"))
    block = f"{begin}\n{body}\n{end}".replace("\n", newline)
    if before and not before.endswith(b"\n"):
        block = newline * 2 + block  # no line end behind it: each such block can go alone
    else:
        block = (newline if before else "") + block + newline
    text = GrownText(before)
    text.insert(len(before), block.encode("utf-8", "surrogateescape"))
    grown, record = _recorded(text, EditedFile(_MEMORY, existed))
    return grown, record


def _recorded(text: GrownText, record: EditedFile) -> tuple[bytes, EditedFile]:
    content = text.content
    digest = hashlib.sha256(content).hexdigest()
    return content, replace(record, digest=digest, insertions=tuple(text.insertions()))
