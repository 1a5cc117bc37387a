"""Puts entries into YAML texts. Every other byte stays; what is inserted is block style, and read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from ....hookspecs.errors import ActivationFault
from ....hookspecs.json import JSON
from .entry_fault import EntryFault
from .grown_text import GrownText
from .toml_entries import at

_MAX_BYTES = 1024 * 1024
"""A longer text is not edited: PyYAML reads about one megabyte a second."""


def insert_yaml(text: GrownText, keys: Sequence[str], value: JSON, *, append: bool = False) -> bool:
    """Insert a value under the keys. Return whether that changed the text: it does not if the value is there already.

    Raises `EntryFault` and changes nothing if the text cannot be parsed or edited safely, or has another value there.
    """
    content = text.content
    values, root = _parsed(content)
    present = at(values, keys)
    if append:
        if present is not None and not isinstance(present, list):
            raise EntryFault(ActivationFault.CONFLICT)
        if present is not None and value in present:
            return False
    elif present is not None:
        if present == value:
            return False
        raise EntryFault(ActivationFault.CONFLICT)
    expected = _put(values, keys, value, append=append)
    for comma in (", ", ""):  # in flow style there may be one already
        candidate = _inserted(content.decode(), root, keys, value, comma, append=append)
        if _reads_as(candidate, expected) and text.become(candidate.encode()):
            return True
    raise EntryFault(ActivationFault.UNSAFE)


def _reads_as(text: str, values: object) -> bool:
    try:
        return bool(yaml.safe_load(text) == values)
    except (yaml.YAMLError, RecursionError):
        return False


def remove_yaml(content: bytes, keys: Sequence[str], value: JSON, *, append: bool) -> bytes | None:
    """Return the text itself if the value is not under the keys (`append`: not in the list there), else None: a value
    that is written in another way than it was inserted is not edited."""
    try:
        present = at(_parsed(content)[0], keys)
    except EntryFault:
        return None
    gone = present is None or (append and isinstance(present, list) and value not in present)
    return content if gone else None


def _parsed(content: bytes) -> tuple[dict[str, Any], yaml.Node | None]:
    if len(content) > _MAX_BYTES:
        raise EntryFault(ActivationFault.TOO_LARGE)
    try:
        text = content.decode()
        values, root = yaml.safe_load(text), yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise EntryFault(ActivationFault.UNPARSABLE, line) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise EntryFault(ActivationFault.UNPARSABLE) from error
    if values is None:
        return {}, None
    if not isinstance(values, dict):
        raise EntryFault(ActivationFault.CONFLICT, 1)
    return values, root


def _put(values: dict[str, Any], keys: Sequence[str], value: JSON, *, append: bool) -> dict[str, Any]:
    table = values
    for key in keys[:-1]:
        if table.get(key) is None:
            table[key] = {}
        table = table[key]
    if append:
        table[keys[-1]] = [*(table.get(keys[-1]) or ()), value]
    else:
        table[keys[-1]] = value
    return values


def _inserted(
    text: str, root: yaml.Node | None, keys: Sequence[str], value: JSON, comma: str, *, append: bool
) -> str:
    node, missing = root, list(keys)
    while missing and isinstance(node, yaml.MappingNode):
        child = next((item for key, item in node.value if key.value == missing[0]), None)
        if child is None or (isinstance(child, yaml.ScalarNode) and child.value == ""):
            break
        node = child
        missing.pop(0)
    addition: Any = value
    if append and missing:
        addition = [value]
    for key in reversed(missing):
        addition = {key: addition}
    if append and not missing:
        addition = [value]
    shown = yaml.safe_dump(addition, sort_keys=False, allow_unicode=True, default_flow_style=False, width=4096)
    newline = "\r\n" if "\r\n" in text else "\n"
    if node is None:
        return _joined(text, shown.splitlines(), "", newline)
    if not isinstance(node, yaml.CollectionNode):
        raise EntryFault(ActivationFault.UNSAFE, node.start_mark.line + 1)
    if node.flow_style:
        end = node.end_mark.index - 1  # the bracket; JSON is YAML's flow style
        inner = json.dumps(addition, ensure_ascii=False)[1:-1]
        return text[:end] + (comma if node.value else "") + inner + text[end:]
    place = _end_of(text, node)
    indent = " " * node.start_mark.column
    return _joined(
        text[:place], [indent + line if line else "" for line in shown.splitlines()], text[place:], newline
    )


def _joined(before: str, lines: Sequence[str], behind: str, newline: str) -> str:
    block = newline.join(lines)
    if before and not before.endswith("\n"):
        return before + newline + block + behind  # no line end behind it: each such block can go alone
    return before + block + newline + behind


def _end_of(text: str, node: yaml.Node) -> int:
    """Return the offset of the line behind the last thing in a block."""
    last = node
    while isinstance(last, yaml.CollectionNode) and last.value and not last.flow_style:
        item = last.value[-1]
        last = item[1] if isinstance(item, tuple) else item
    end = last.end_mark.index
    if end and text[end - 1] == "\n":
        return end
    line_end = text.find("\n", end)
    return len(text) if line_end < 0 else line_end + 1
