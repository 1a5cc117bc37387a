"""Resolves the paths of a manifest: below the plugin's root, and there."""

from __future__ import annotations

import posixpath

from .json_document import Keys
from .tree_reader import Document, Reading

MOST_PATHS = 1000


def resolve(reading: Reading, document: Document, text: str, keys: Keys, *, dotted: bool = True) -> str | None:
    """Return the tree's path of a manifest's path, None if it leads outside, nowhere, or to nothing. That is noted.

    `dotted` says that the path must begin with `./`, as Claude Code and Codex demand.
    """
    place = document.place(keys)
    shown = text if len(text) <= 120 else f"{text[:120]}…"
    plain = text.replace("\\", "/")
    if plain.startswith(("/", "~")) or plain[1:3] == ":/":
        reading.error(
            "path-absolute",
            document.path,
            f"the path {shown!r} is absolute: it must be below the plugin's root",
            place,
        )
        return None
    if ".." in plain.split("/"):
        reading.error(
            "path-outside", document.path, f"the path {shown!r} has `..`: it must stay below the plugin's root", place
        )
        return None
    if dotted and not plain.startswith("./") and plain != ".":
        reading.error(
            "path-dot",
            document.path,
            f"the path {shown!r} must begin with `./`: Claude Code and Codex refuse it",
            place,
        )
    own = posixpath.normpath(plain.strip() or ".")
    path = reading.folder if own == "." else reading.at(own)
    if path and not reading.has(path) and not reading.has_folder(path):
        reading.error("path-missing", document.path, f"there is nothing at the path {shown!r}", place)
        return None
    return path


def resolve_all(
    reading: Reading, document: Document, texts: list[tuple[str, Keys]], *, dotted: bool = True
) -> list[tuple[str, Keys]]:
    """Return the tree's paths of those texts that lead somewhere, each with its keys."""
    if len(texts) > MOST_PATHS:
        keys = texts[MOST_PATHS][1]
        message = f"only the first {MOST_PATHS} paths are read"
        reading.error("paths-too-many", document.path, message, document.place(keys))
    first: dict[str, tuple[str, Keys]] = {}
    for text, keys in texts[:MOST_PATHS]:
        first.setdefault(text, (text, keys))
    resolved = ((resolve(reading, document, text, keys, dotted=dotted), keys) for text, keys in first.values())
    return [(path, keys) for path, keys in resolved if path is not None]
