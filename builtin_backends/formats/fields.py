"""The fields that all manifests share: texts, authors, and lists of texts, each checked for its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...hookspecs import JSON
from .json_document import Keys
from .tree_reader import Document, Reading

_MAX_VERSION = 128
_MAX_TEXT = 16 * 1024


@dataclass(frozen=True, slots=True)
class Fields:
    """What a manifest says of its plugin as a whole."""

    name: str | None = None
    version: str | None = None
    description: str | None = None
    author: str | None = None
    licence: str | None = None


def read_fields(
    reading: Reading, document: Document, keys: Keys = (), *, versions_may_be_numbers: bool = False
) -> Fields:
    """Return the fields of the object under `keys`. A field of a wrong type is noted and left out."""
    mapping = value_at(document.value, keys)
    if not isinstance(mapping, Mapping):
        return Fields()
    reader = _FieldReader(reading, document, keys, mapping)
    return Fields(
        reader.text("name"),
        reader.version(versions_may_be_numbers),
        reader.text("description"),
        reader.author(),
        reader.text("license"),
    )


@dataclass(frozen=True, slots=True)
class _FieldReader:
    reading: Reading
    document: Document
    keys: Keys
    mapping: Mapping[str, JSON]

    def text(self, key: str) -> str | None:
        value = self.mapping.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self._wrong(key, "a text")
            return None
        if key == "name" and not value.strip():
            self.reading.error("name-empty", self.document.path, "the name is empty", self._place(key))
            return None
        return value[:_MAX_TEXT]

    def version(self, numbers: bool) -> str | None:
        value = self.mapping.get("version")
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not numbers:
                self._wrong("version", "a text, in quotes")
            written = self.document.parsed.numbers.get((*self.keys, "version"), str(value))
            return written[:_MAX_VERSION]
        text = self.text("version")
        return None if text is None else text[:_MAX_VERSION]

    def author(self) -> str | None:
        value = self.mapping.get("author")
        if isinstance(value, Mapping):
            name = value.get("name")
            if isinstance(name, str):
                return name[:_MAX_TEXT]
            self._wrong("author", "an object with a `name`")
            return None
        if isinstance(value, str):
            return value[:_MAX_TEXT]
        if value is not None:
            self._wrong("author", "an object with a `name`")
        return None

    def _wrong(self, key: str, expected: str) -> None:
        self.reading.error("wrong-type", self.document.path, f"`{key}` must be {expected}", self._place(key))

    def _place(self, key: str) -> tuple[int, int]:
        return self.document.place((*self.keys, key))


def value_at(value: JSON, keys: Keys) -> JSON:
    """Return the value under the keys, None if there is none."""
    for key in keys:
        if isinstance(key, str) and isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(key, int) and isinstance(value, Sequence) and not isinstance(value, str):
            value = value[key] if key < len(value) else None
        else:
            return None
    return value


def texts_at(reading: Reading, document: Document, keys: Keys, *, singly: bool = True) -> list[tuple[str, Keys]]:
    """Return the texts of a list (or, `singly`, of one text) under the keys, each with its keys.

    What is no text is noted and left out.
    """
    value = value_at(document.value, keys)
    if value is None:
        return []
    if isinstance(value, str):
        if singly:
            return [(value, keys)]
    elif isinstance(value, Sequence):
        texts: list[tuple[str, Keys]] = []
        for index, item in enumerate(value):
            if isinstance(item, str):
                texts.append((item, (*keys, index)))
            else:
                message = f"`{keys[-1]}` must hold texts only"
                reading.error("wrong-type", document.path, message, document.place((*keys, index)))
        return texts
    expected = "a text or a list of texts" if singly else "a list of texts"
    reading.error("wrong-type", document.path, f"`{keys[-1]}` must be {expected}", document.place(keys))
    return []
