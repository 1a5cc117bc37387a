"""Puts entries into TOML texts, and takes them out again; tomlkit keeps every other byte."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from ....hookspecs.errors import ActivationFault
from ....hookspecs.json import JSON
from .entry_fault import EntryFault
from .grown_text import GrownText


def insert_toml(text: GrownText, keys: Sequence[str], value: JSON, *, append: bool = False) -> bool:
    """Insert a value under the keys. Return whether that changed the text: it does not if the value is there already.

    Raises `EntryFault` and changes nothing if the text cannot be parsed, has another value there, or would change
    elsewhere.
    """
    content = text.content
    values = _parsed(content)
    present = at(values, keys)
    wanted: object = value
    if append:
        if present is not None and not isinstance(present, list):
            raise EntryFault(ActivationFault.CONFLICT)
        if present is not None and value in present:
            return False
        wanted = [*(present or ()), value]
    elif present is not None:
        if present == value:
            return False
        raise EntryFault(ActivationFault.CONFLICT)
    _put(values, keys, wanted)
    for candidate in (_appended(content, keys, wanted), _with_tomlkit(content, keys, value, append=append)):
        if candidate is not None and _reads_as(candidate, values) and text.become(candidate):
            return True
    raise EntryFault(ActivationFault.UNSAFE)


def remove_toml(content: bytes, keys: Sequence[str], value: JSON, *, append: bool) -> bytes | None:
    """Return the text without the value under the keys (`append`: without it in the list there).

    None if another value is there, or the text cannot be edited.
    """
    try:
        values = _parsed(content)
        present = at(values, keys)
        if present is None or (append and isinstance(present, list) and value not in present):
            return content
        if append or present != value:
            return None
        document = tomlkit.parse(content.decode())
        table: Any = document
        parent: Any = values
        for key in keys[:-1]:
            table, parent = table[key], parent[key]
        del table[keys[-1]], parent[keys[-1]]
        edited = tomlkit.dumps(document).encode()
    except (EntryFault, TOMLKitError, KeyError, TypeError):
        return None
    return edited if _reads_as(edited, values) and GrownText(edited).become(content) else None


def at(values: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """Return the value under the keys; None if there is none. Raises `EntryFault` if a key leads through a scalar."""
    current: Any = values
    for key in keys:
        if not isinstance(current, Mapping):
            raise EntryFault(ActivationFault.CONFLICT)
        current = current.get(key)
        if current is None:
            return None
    return current


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except tomllib.TOMLDecodeError as error:
        line = getattr(error, "lineno", None) or _line_of(str(error))
        raise EntryFault(ActivationFault.UNPARSABLE, line) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise EntryFault(ActivationFault.UNPARSABLE) from error


def _line_of(message: str) -> int | None:
    """Return the line that tomllib names in its message: `… (at line 3, column 5)`."""
    _, _, rest = message.rpartition("at line ")
    number = rest.partition(",")[0]
    return int(number) if number.isdigit() else None


def _put(values: MutableMapping[str, Any], keys: Sequence[str], value: object) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
    values[keys[-1]] = value


def _reads_as(content: bytes, values: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(content.decode()) == values
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False


def _appended(content: bytes, keys: Sequence[str], value: object) -> bytes | None:
    """Return the text with a table of its own at its end, which holds for most keys."""
    if len(keys) < 2 and not isinstance(value, Mapping):
        return None
    table = value if isinstance(value, Mapping) else {keys[-1]: value}
    header = keys if isinstance(value, Mapping) else keys[:-1]
    newline = "\r\n" if b"\r\n" in content else "\n"
    lines = [f"[{'.'.join(tomlkit.key(key).as_string() for key in header)}]"]
    lines += [f"{tomlkit.key(key).as_string()} = {_inline(item)}" for key, item in table.items()]
    shown = newline.join(lines)
    if content and not content.endswith(b"\n"):
        return content + (newline + shown).encode()  # no line end behind it: each such table can go alone
    return content + (shown + newline).encode()


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(value)
        return table.as_string()
    return tomlkit.item(value).as_string()


def _with_tomlkit(content: bytes, keys: Sequence[str], value: JSON, *, append: bool) -> bytes | None:
    try:
        document = tomlkit.parse(content.decode())
        table: Any = document
        for key in keys[:-1]:
            table = table.setdefault(key, tomlkit.table())
        if append:
            table.setdefault(keys[-1], tomlkit.array()).append(value)
        else:
            table[keys[-1]] = value
        return tomlkit.dumps(document).encode()
    except (TOMLKitError, AttributeError, TypeError, ValueError):
        return None
