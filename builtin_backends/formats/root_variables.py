"""The variables by which manifests name the plugin's own directory."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Final

from ...hookspecs import JSON
from .tree_reader import Reading

ROOT: Final = re.compile(
    r"\$\{(?:CLAUDE_PLUGIN_ROOT|PLUGIN_ROOT|CODEX_PLUGIN_ROOT|extensionPath)\}|\$(?:CLAUDE_PLUGIN_ROOT|PLUGIN_ROOT)\b"
)
_FILE: Final = re.compile(rf"(?:{ROOT.pattern})(?:\$\{{/\}}|/)([\w./@+-]+)")
_FRAGMENT_FILE: Final = re.compile(r"\$\{?CLAUDE_DIR\}?/((?:hooks|commands)/[\w./@+-]+)")


def from_tree(reading: Reading, value: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return an entry of a plugin in a folder of the tree as if it stood at the tree's root.

    The plugin's directory is the tree's: `${CLAUDE_PLUGIN_ROOT}/x` becomes `${CLAUDE_PLUGIN_ROOT}/<folder>/x`.
    """
    return {key: _from_tree(reading, item) for key, item in value.items()}


def text_from_tree(reading: Reading, text: str) -> str:
    """Return a text of a plugin in a folder of the tree as if it stood at the tree's root."""
    if not reading.folder:
        return text
    moved = ROOT.sub(lambda match: f"{match[0]}/{reading.folder}", text)
    own = posixpath.normpath(moved)
    if moved.startswith("./") and not own.startswith("..") and reading.has(reading.at(own)):
        return f"./{reading.at(own)}"
    return moved


def _from_tree(reading: Reading, value: JSON) -> JSON:
    if isinstance(value, str):
        return text_from_tree(reading, value)
    if isinstance(value, Mapping):
        return {key: _from_tree(reading, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_from_tree(reading, item) for item in value]
    return value


def own_files(reading: Reading, value: JSON) -> Iterator[str]:
    """Yield the tree's files that the texts of a value name."""
    if isinstance(value, str):
        names = [match[1] for match in _FILE.finditer(value)]
        names += [reading.at(match[1]) for match in _FRAGMENT_FILE.finditer(value)]
        names += [value] if value.startswith("./") else []
        for name in names:
            path = posixpath.normpath(name)
            if reading.has(path):
                yield path
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from own_files(reading, item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from own_files(reading, item)


def missing_files(reading: Reading, text: str) -> list[str]:
    """Return the files below the plugin's directory that a text names and the tree does not have.

    A name with a shell's wildcard or variable in it is not judged.
    """
    names = [(match[1], text[match.end() : match.end() + 1]) for match in _FILE.finditer(text)]
    paths = [(posixpath.normpath(name), following) for name, following in names]
    return [
        path
        for path, following in paths
        if following not in {"$", "*", "?", "{", "["} and not reading.has(path) and not reading.has_folder(path)
    ]
