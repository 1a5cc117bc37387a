"""Puts entries into JSON texts, and takes them out again. Every other byte stays, comments included."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from ....hookspecs.errors import ActivationFault
from ....hookspecs.json import JSON
from ..json_spans import Document, JsonInvalid, Node, parse, same
from .entry_fault import EntryFault
from .grown_text import GrownText

_INDENT: Final = re.compile(rb"\n([ \t]+)\S")
_NEW_FILE: Final = b"{}\n"


def insert_json(
    text: GrownText, keys: Sequence[str], value: JSON, *, append: bool = False, strict: bool = True
) -> bool:
    """Insert a value under the keys. Return whether that changed the text: it does not if the value is there already.

    `strict`: the runtime reads no comments, trailing commas and byte order marks. Raises `EntryFault` and changes
    nothing if the text cannot be parsed, or has another value there.
    """
    if not text.content.strip():
        text.insert(len(text.content), _NEW_FILE)
    document = _document(text.content, strict=strict)
    node, missing = _deepest(document, keys)
    if append:
        if missing:
            value = [value]
        elif node.kind != "array":
            raise EntryFault(ActivationFault.CONFLICT, _line(text.content, node))
        elif any(same(item, value) for item in node.items):
            return False
        else:
            _add_item(text, document, node, None, value)
            return True
    elif not missing:
        if same(node, value):
            return False
        raise EntryFault(ActivationFault.CONFLICT, _line(text.content, node))
    if node.kind != "object":
        raise EntryFault(ActivationFault.CONFLICT, _line(text.content, node))
    for key in reversed(missing[1:]):
        value = {key: value}
    _add_item(text, document, node, missing[0], value)
    return True


def remove_json(content: bytes, keys: Sequence[str], value: JSON, *, append: bool, made: int) -> bytes | None:
    """Return the text without the value under the keys; None if another value is there, or the text is no JSON.

    The last `made` of the objects (and the list) above the value go too if nothing else is in them.
    """
    try:
        document = parse(content)
    except JsonInvalid:
        return None
    path: list[tuple[Node, int]] = []
    node: Node | None = document.root
    for key in keys:
        if node is None or node.kind != "object" or node.has_repeated(key):
            return None
        index = node.index_of(key)
        if index is None:
            return content
        path.append((node, index))
        node = node.items[index]
    if append:
        if node is None or node.kind != "array":
            return None
        index = next((number for number, item in enumerate(node.items) if same(item, value)), None)
        if index is None:
            return content
        path.append((node, index))
    elif node is None or not same(node, value):
        return None
    while made and len(path) > 1 and len(path[-1][0].items) == 1:
        path.pop()
        made -= 1
    return document.without([path[-1]])


def containers_made(content: bytes, keys: Sequence[str], *, append: bool) -> int:
    """Return how many containers an insertion under the keys will make: objects, and the list if it appends."""
    document = _document(content, strict=False) if content.strip() else parse(_NEW_FILE)
    _, missing = _deepest(document, keys)
    return max(0, len(missing) - 1) + (1 if append and missing else 0)


def is_empty_object(content: bytes) -> bool:
    """Return whether the text is an empty object, or nothing at all."""
    return re.sub(rb"\s", b"", content) in {b"", b"{}"}


def _document(content: bytes, *, strict: bool) -> Document:
    try:
        document = parse(content)
    except JsonInvalid as error:
        raise EntryFault(ActivationFault.UNPARSABLE, error.line) from error
    if strict:
        try:
            json.loads(content.decode())
        except json.JSONDecodeError as error:
            raise EntryFault(ActivationFault.UNPARSABLE, error.lineno) from error
        except (ValueError, RecursionError) as error:
            raise EntryFault(ActivationFault.UNPARSABLE) from error
    if document.root.kind != "object":
        raise EntryFault(ActivationFault.CONFLICT, _line(content, document.root))
    return document


def _deepest(document: Document, keys: Sequence[str]) -> tuple[Node, Sequence[str]]:
    """Return the deepest value that is there on the way along the keys, and the keys that are missing below it."""
    node = document.root
    for number, key in enumerate(keys):
        if node.kind != "object":
            return node, keys[number:]
        if node.has_repeated(key):
            raise EntryFault(ActivationFault.UNSAFE, _line(document.content, node))
        child = node.get(key)
        if child is None:
            return node, keys[number:]
        node = child
    return node, ()


def _add_item(text: GrownText, document: Document, container: Node, key: str | None, value: JSON) -> None:
    content = document.content
    inside = [end for start, end in document.comments if container.start < start and end < container.end]
    comments = [end for end in inside if not container.items or end > container.items[-1].end]
    newline = b"\r\n" if re.match(rb"[^\n]*\r\n", content) else b"\n"
    behind = container.start + 1 if not container.items else container.items[-1].end
    trailing_comma = container.items and len(container.commas) == len(container.items)
    place = max([behind, *comments, *([container.commas[-1] + 1] if trailing_comma else [])])
    several_lines = b"\n" in content[container.start : container.end] or (
        not container.items and (container is document.root or b"\n" in content)
    )
    unit = _unit(content)
    outer = _indent_of_line(content, container.start)
    inner = (
        _indent_of_line(content, container.items[-1].start if key is None else container.keys[-1].start)
        if (container.items and several_lines)
        else outer + unit
    )
    shown = _written(value, key, inner if several_lines else None, unit, newline)
    if several_lines:
        addition = newline + inner + shown
        if not container.items and b"\n" not in content[place : container.end]:
            addition += newline + outer
    else:
        addition = (b" " if container.items else b"") + shown
    text.insert(place, addition)
    if container.items and not trailing_comma:
        text.insert(container.items[-1].end, b",")


def _written(value: JSON, key: str | None, indent: bytes | None, unit: bytes, newline: bytes) -> bytes:
    prefix = "" if key is None else f"{json.dumps(key, ensure_ascii=False)}: "
    if indent is None:
        return (prefix + json.dumps(_plain(value), ensure_ascii=False)).encode()
    lines = (prefix + json.dumps(_plain(value), ensure_ascii=False, indent=unit.decode())).encode().split(b"\n")
    return (newline + indent).join(lines)


def _plain(value: JSON) -> JSON:
    """Return the value with mappings as dictionaries and tuples as lists."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _unit(content: bytes) -> bytes:
    """Return what one level of the text is indented by."""
    match = _INDENT.search(content)
    return match.group(1) if match else b"  "


def _indent_of_line(content: bytes, offset: int) -> bytes:
    start = content.rfind(b"\n", 0, offset) + 1
    match = re.compile(rb"[ \t]*").match(content, start)
    return match.group() if match else b""


def _line(content: bytes, node: Node) -> int:
    return content.count(b"\n", 0, node.start) + 1
