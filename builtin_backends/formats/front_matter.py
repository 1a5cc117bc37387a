"""Reads the front matter of a Markdown file as tolerantly as the agents do, and says where it is not YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from ...hookspecs import JSON, Severity
from .json_document import Fault, Keys, Parsed
from .tree_reader import Document, Reading, TextFile

MAX_FRONT_MATTER: Final = 64 * 1024
"""Bytes of a Markdown file in which its front matter must end."""

_BOM: Final = b"\xef\xbb\xbf"
_OPENING: Final = re.compile(r"---[ \t]*(?:\r?\n|\Z)")
_CLOSING: Final = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
_PLAIN: Final = re.compile(
    r"""([A-Za-z_][\w-]*):[ ]+"""
    r"""(?:"([^"\\]*)"|'([^']*)'|([^\s"'\[\]{}>|*&!%#?,@`:~+.0-9-](?:[^:#]|:(?=\S)|(?<=\S)\#)*))\Z"""
)
_LINE: Final = re.compile(r"([A-Za-z_][\w-]*):(?:[ \t]+(.*))?\Z")
_CONSTANTS: Final = frozenset({"null", "true", "false"})


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands at the beginning of a Markdown file: `data`, empty if there is no front matter.

    `broken` says that no agent reads it: it is not closed, or does not begin in the first line.
    """

    document: Document
    present: bool = False
    broken: bool = False

    @property
    def data(self) -> Mapping[str, JSON]:
        """The fields."""
        return self.document.value

    def text(self, key: str) -> str | None:
        """Return the text under a key, None if there is none."""
        value = self.data.get(key)
        return value if isinstance(value, str) and value.strip() else None


@dataclass(slots=True)
class _Lines:
    """The values of a front matter that was read line by line, each with its offset."""

    values: dict[str, JSON] = field(default_factory=dict)
    offsets: dict[Keys, int] = field(default_factory=dict)


def read_front_matter(reading: Reading, path: str) -> FrontMatter | None:
    """Return the front matter of a file, None if the file cannot be read. What is wrong is noted."""
    content = reading.content(path, MAX_FRONT_MATTER)
    if content is None:
        return None
    file = _text(reading, path, content)
    nothing = Document(file, MappingProxyType({}), Parsed({}))
    match = _OPENING.match(file.text)
    if match is None:
        if _OPENING.match(file.text.lstrip()) and file.text[:1].isspace():
            message = "the front matter must begin in the first line: no agent reads it here"
            reading.error("front-matter-late", path, message, (1, 1))
            return FrontMatter(nothing, broken=True)
        return FrontMatter(nothing)
    closing = _CLOSING.search(file.text, match.end())
    if closing is None:
        reading.error(
            "front-matter-open", path, "the front matter has no closing line `---`: no agent reads it", (1, 1)
        )
        return FrontMatter(nothing, present=True, broken=True)
    return FrontMatter(_read(reading, file, match.end(), closing.start()), present=True)


def _text(reading: Reading, path: str, content: bytes) -> TextFile:
    """Return the text of the file's beginning. Bytes that are not UTF-8 are read as Latin-1, and noted."""
    if content.startswith(_BOM):
        message = "the file starts with a byte order mark: Claude Code, Codex and Gemini CLI pass it over"
        reading.warn("bom", path, message, (1, 1))
        content = content[len(_BOM) :]
    if len(content) > MAX_FRONT_MATTER:
        content = content[:MAX_FRONT_MATTER].rsplit(b"\n", 1)[0]
    try:
        return TextFile(path, content.decode())
    except UnicodeDecodeError as error:
        file = TextFile(path, content.decode("latin-1"))
        message = "the file is not UTF-8 here: Codex and Hermes pass it over"
        reading.warn("encoding", path, message, file.place(error.start))
        return TextFile(path, content.decode("utf-8", "replace"))


def _read(reading: Reading, file: TextFile, start: int, end: int) -> Document:
    plain = _plain(file.text, start, end)
    if plain is not None:
        return Document(file, plain.values, Parsed(plain.values, plain.offsets))
    parsed = _yaml(reading, file.text[start:end])
    offsets = {keys: start + offset for keys, offset in parsed.offsets.items()}
    fatal = next((fault for fault in parsed.faults if fault.fatal), None)
    for fault in parsed.faults:
        if fault is not fatal:
            reading.warn(
                f"front-matter-{fault.rule.removeprefix('yaml-')}",
                file.path,
                f"the front matter {fault.problem}",
                file.place(start + fault.offset),
            )
    if fatal is None and isinstance(parsed.value, Mapping):
        return Document(file, parsed.value, Parsed(parsed.value, offsets, numbers=parsed.numbers))
    lines = _lines(file.text, start, end)
    _note_fatal(reading, file, start, end, fatal)
    return Document(file, lines.values, Parsed(lines.values, lines.offsets))


def _note_fatal(reading: Reading, file: TextFile, start: int, end: int, fatal: Fault | None) -> None:
    colon = re.compile(r"^[A-Za-z_][\w-]*:[ \t]+[^\s\"'|>\[{#&*!%@`][^\n]*?(: )", re.MULTILINE).search(
        file.text, start, end
    )
    tab = re.compile(r"^\t", re.MULTILINE).search(file.text, start, end)
    if fatal is not None and fatal.rule == "yaml-invalid" and colon is not None:
        message = "the value has `: ` in it and is not quoted: Copilot passes the file over"
        reading.warn("front-matter-colon", file.path, message, file.place(colon.start(1)))
    elif fatal is not None and fatal.rule == "yaml-invalid" and tab is not None:
        message = "the line is indented with a tab: Claude Code, Codex and Copilot pass the file over"
        reading.warn("front-matter-tab", file.path, message, file.place(tab.start()))
    elif fatal is None:
        reading.warn(
            "front-matter-type", file.path, "the front matter must be a mapping of keys to values", file.place(start)
        )
    elif fatal.rule == "yaml-left":
        reading.note(
            "front-matter-left",
            Severity.NOTE,
            file.path,
            "the front matter was read line by line only: the plugin has very much of it",
            file.place(start),
        )
    else:
        reading.warn(
            f"front-matter-{fatal.rule.removeprefix('yaml-')}",
            file.path,
            f"the front matter {fatal.problem}",
            file.place(start + fatal.offset),
        )


def _yaml(reading: Reading, text: str) -> Parsed:
    from .yaml_document import parse_yaml

    reading.yaml_left[0] -= len(text)
    if reading.yaml_left[0] < 0:
        return Parsed(None, {}, [Fault("yaml-left", 0, "", fatal=True)])
    parsed = parse_yaml(text)
    return Parsed({}, {}) if parsed.value is None and not parsed.faults else parsed


def _plain(text: str, start: int, end: int) -> _Lines | None:
    """Read a front matter that has nothing but keys with plain texts; None if it has anything else."""
    lines, offset = _Lines(), start
    for line in text[start:end].split("\n"):
        bare = line.rstrip()
        if bare:
            match = _PLAIN.match(bare)
            if match is None or match[1] in lines.values or not bare.isprintable():
                return None
            group = match.lastindex or 0
            if group == 4 and match[4].lower() in _CONSTANTS:
                return None
            lines.values[match[1]] = match[group]
            lines.offsets[match[1],] = offset + match.start(group) - (group < 4)
        offset += len(line) + 1
    return lines


def _lines(text: str, start: int, end: int) -> _Lines:
    """Read a front matter that is not YAML line by line, as most agents do; indented lines go with the one above."""
    lines, offset, key = _Lines(), start, None
    pieces: dict[str, list[str]] = {}
    for line in text[start:end].split("\n"):
        bare = "".join(letter if letter.isprintable() else " " for letter in line).strip()
        match = _LINE.match(bare) if line[:1] not in {" ", "\t"} else None
        if match is not None:
            key = match[1]
            pieces[key] = [(match[2] or "").strip()]
            lines.offsets[key,] = offset + max(0, line.find(match[2] or ""))
        elif key is not None and bare:
            pieces[key].append(bare)
        offset += len(line) + 1
    lines.values |= {name: _unquoted(" ".join(filter(None, texts))) for name, texts in pieces.items()}
    return lines


def _unquoted(text: str) -> str:
    quoted = len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'"
    return (
        text[1:-1]
        if quoted
        else text.removeprefix(">-").removeprefix("|-").removeprefix(">").removeprefix("|").strip()
    )
