"""Reads what a call writes into a database and gets out of one: statements of SQL, keys of a key-value store."""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst

from ..syntax import positional, string_value
from .assignments import key_of
from .values import ANY

_SELECT = re.compile(r"\s*select\s+(?P<columns>.+?)\s+from\s+(?P<table>[\w.\"`]+)", re.IGNORECASE | re.DOTALL)
_UPDATE = re.compile(
    r"\s*update\s+(?P<table>[\w.\"`]+)\s+set\s+(?P<sets>.+?)(?:\s+where\s+|\s+returning\s+|$)",
    re.IGNORECASE | re.DOTALL,
)
_INSERT = re.compile(
    r"\s*(?:insert|replace)\b.*?\binto\s+(?P<table>[\w.\"`]+)\s*\((?P<columns>[^)]*)\)\s*values\s*\((?P<values>.*)\)",
    re.IGNORECASE | re.DOTALL,
)
_PLACEHOLDER = re.compile(r"\?|%s|\$\d+|[:@](\w+)|%\((\w+)\)s")
_HOLES = (cst.FormattedStringExpression,)
_WRITES = {
    "hset": (1, 2),
    "hsetnx": (1, 2),
    "setex": (None, 2),
    "lpush": (None, 1),
    "rpush": (None, 1),
    "set": (None, 1),
}
"""By a method of a key-value store: the positions of the field (None: of none) and of the value."""
_READS = {"hget": 1, "hgetall": None, "lrange": None, "lpop": None, "rpop": None, "hmget": None, "get": None}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of SQL: `read` are the columns that it gives (`*`: all), `written` those that it sets, each with
    the position or the name of the parameter that it is set to."""

    table: str
    read: tuple[str, ...] = ()
    written: tuple[tuple[str, str], ...] = ()


def statement_in(value: cst.BaseExpression) -> Statement | None:
    """Return the statement that a literal is, also inside `text(…)`; None for anything else."""
    if isinstance(value, cst.Call) and (values := positional(value)):
        value = values[0]
    text = string_value(value)
    if text is None:
        return None
    if (match := _SELECT.match(text)) is not None:
        columns = [_column(part) for part in match["columns"].split(",")]
        return Statement(_plain(match["table"]), (ANY,) if ANY in columns else tuple(columns))
    if (match := _UPDATE.match(text)) is not None:
        pairs = [part.split("=", 1) for part in match["sets"].split(",") if "=" in part]
        return Statement(
            _plain(match["table"]), (), _written([name for name, _ in pairs], [value for _, value in pairs])
        )
    if (match := _INSERT.match(text)) is not None:
        columns, texts = match["columns"].split(","), match["values"].split(",")
        return Statement(_plain(match["table"]), (), _written(columns, texts) if len(columns) == len(texts) else ())
    return None


def stored_key(call: cst.Call, method: str) -> tuple[str, tuple[str, ...], cst.BaseExpression | None] | None:
    """Return the store of a key-value store that a method writes or reads, the path in it, and the value that is
    written (None: it reads); None for any other call. A key is known by its form: `job:*`."""
    values = positional(call)
    if not isinstance(call.func, cst.Attribute) or not values or (method not in _WRITES and method not in _READS):
        return None
    pattern = _pattern(values[0])
    if ":" not in pattern:
        return None
    store = f"kv:{pattern}"
    if method in _WRITES:
        field, value = _WRITES[method]
        if value >= len(values):
            return None
        return store, () if field is None else (key_of(values[field]),), values[value]
    position = _READS[method]
    return store, () if position is None or position >= len(values) else (key_of(values[position]),), None


def _written(columns: list[str], values: list[str]) -> tuple[tuple[str, str], ...]:
    written = []
    position = 0
    for column, value in zip(columns, values, strict=True):
        if (match := _PLACEHOLDER.search(value)) is not None:
            name = match[1] or match[2]
            written.append((_plain(column), name or str(position)))
            position += 0 if name else 1
    return tuple(written)


def _column(text: str) -> str:
    name = re.split(r"\s+as\s+", text.strip(), flags=re.IGNORECASE)[-1]
    return ANY if name.endswith("*") else _plain(name.rpartition(".")[2])


def _plain(name: str) -> str:
    return name.strip().strip('"`[]').lower()


def _pattern(key: cst.BaseExpression) -> str:
    """Return a literal key with `*` for each hole."""
    if isinstance(key, cst.FormattedString):
        return "".join("*" if isinstance(part, _HOLES) else getattr(part, "value", "") for part in key.parts)
    if isinstance(key, cst.BinaryOperation):
        return _pattern(key.left) + _pattern(key.right)
    return string_value(key) or "*"
