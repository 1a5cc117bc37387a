"""Sorts the lists `allow` of the configuration, and keeps every other byte of it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

_LIST = re.compile(r"""\ballow"?\s*=\s*\[((?:[^]"'#]|"[^"\n]*"|'[^'\n]*'|\#[^\n]*)*)]""")
_ITEM = re.compile(r""""[^"\n]*"|'[^'\n]*'""")
_LINE = re.compile(
    r"""[ \t]*(?P<item>"[^"\n]*"|'[^'\n]*')[ \t]*,[ \t]*(?:\#[^\n]*)?\r?\n|[ \t]*(?P<comment>\#[^\n]*)\n"""
)


def sort_allow(text: str) -> str:
    """Return the TOML text with each list `allow` of an only-caller table in order. A list stays as it is if its
    comments cannot move with its items: if an item has no line of its own, or the last one no comma."""
    document = _parsed(text)
    if document is None:
        return text
    for match in reversed(list(_LIST.finditer(text))):
        body = match[1]
        changed = text[: match.start(1)] + (_by_line(body) if "#" in body else _in_place(body)) + text[match.end(1) :]
        new = _parsed(changed)
        if new is not None and _without_allow(new) == _without_allow(document) and _is_sorted_of(new, document):
            text = changed
    return text


def _in_place(body: str) -> str:
    items = iter(sorted(_ITEM.findall(body), key=_value))
    return _ITEM.sub(lambda _: next(items), body)


def _by_line(body: str) -> str:
    """Sort lines, each with the comments above it."""
    first, newline, rest = body.partition("\n")
    tail = rest[rest.rfind("\n") + 1 :]
    lines = rest[: len(rest) - len(tail)]
    blocks: list[tuple[str, str]] = []
    start = end = 0
    for match in _LINE.finditer(lines):
        if match.start() != end:
            return body
        end = match.end()
        if match["item"] is not None:
            blocks.append((_value(match["item"]), lines[start:end]))
            start = end
    if first.strip() or tail.strip() or start != len(lines):
        return body
    return first + newline + "".join(block for _, block in sorted(blocks)) + tail


def _value(item: str) -> str:
    return item[1:-1]


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _tables(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    tables = document.get("tool", {}).get("plugport", {}).get("lint", {}).get("only-caller", [])
    yield from (table for table in tables if isinstance(table.get("allow"), list))


def _without_allow(document: Mapping[str, Any]) -> Any:
    tables = {id(table["allow"]) for table in _tables(document)}

    def copy(value: Any) -> Any:
        if id(value) in tables:
            return len(value)
        if isinstance(value, dict):
            return {key: copy(inner) for key, inner in value.items()}
        return [copy(inner) for inner in value] if isinstance(value, list) else value

    return copy(document)


def _is_sorted_of(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Return whether each list holds what it held."""
    pairs = zip(_tables(new), _tables(old), strict=True)
    return all(sorted(after["allow"]) == sorted(before["allow"]) for after, before in pairs)
