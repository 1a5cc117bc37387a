"""Reads JSON that others wrote: with the place of every value, and past what strict parsers refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ...hookspecs.json import JSON

Keys = tuple[str | int, ...]
"""Where a value stands: the keys and the indexes on the way to it."""

MAX_DEPTH: Final = 64
_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n]+)|(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<mark>[{}\[\],:])"""
    r"""|(?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")"""
    r"""|(?P<scalar>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null)""",
    re.DOTALL,
)
_LONGEST_NUMBER: Final = 64
_LARGEST: Final = 1 << 63
_MOST_FAULTS: Final = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a text: `rule`, the offset where, and the end of the sentence "the file …"."""

    rule: str
    offset: int
    problem: str
    fatal: bool = False


@dataclass(slots=True)
class Parsed:
    """What was read: the value (None if nothing could be read), the offset of each value, and what is wrong.

    `numbers` are numbers as they were written, as far as the parser keeps them: a version `1.10` is not 1.1.
    """

    value: JSON = None
    offsets: Mapping[Keys, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    numbers: Mapping[Keys, str] = field(default_factory=dict)


class _Invalid(Exception):
    def __init__(self, offset: int, problem: str, rule: str = "json-invalid") -> None:
        super().__init__(problem)
        self.fault = Fault(rule, offset, problem, fatal=True)


def parse_json(text: str) -> Parsed:
    """Parse a JSON text. Comments and trailing commas are read past and reported; of a repeated key the last counts.

    Takes time in proportion to the text and uses no recursion. Never raises for a text.
    """
    parser = _Parser(text)
    try:
        parser.parse()
    except _Invalid as invalid:
        return Parsed(None, parser.offsets, [*parser.faults, invalid.fault])
    return Parsed(parser.root, parser.offsets, parser.faults)


class _Parser:
    """A parser with a stack of its own. `_containers` are the open objects and arrays, each with its place."""

    def __init__(self, text: str) -> None:
        self.root: JSON = None
        self.offsets: dict[Keys, int] = {}
        self.faults: list[Fault] = []
        self._text = text
        self._position = self._start = 0
        self._seen: set[str] = set()
        self._containers: list[tuple[dict[str, JSON] | list[JSON], Keys]] = []
        self._key: str | None = None

    def parse(self) -> None:
        kind, token, offset = self._next()
        self._value(kind, token, offset)
        while self._containers:
            self._step()
        kind, token, offset = self._next()
        if kind != "end":
            raise _Invalid(offset, "goes on after its end")

    def _step(self) -> None:
        """Read one item of the innermost container, or its end."""
        container, _ = self._containers[-1]
        kind, token, offset = self._next()
        closing = "}" if isinstance(container, dict) else "]"
        if container and token == ",":  # noqa: S105 - a comma
            kind, token, comma = *self._next()[:2], offset
            offset = self._start
            if token == closing:
                self._once("json-comma", comma, "has a comma before a closing bracket, which agents refuse in JSON")
        elif container and token != closing:
            raise _Invalid(offset, "misses a comma or a closing bracket here")
        if token == closing:
            self._containers.pop()
            return
        if isinstance(container, dict):
            kind, token, offset = self._member(container, kind, token, offset)
        self._value(kind, token, offset)

    def _member(self, container: dict[str, JSON], kind: str, token: str, offset: int) -> tuple[str, str, int]:
        if kind != "string":
            raise _Invalid(offset, "must have a text in double quotes as a key here")
        key = self._string(token, offset)
        if key in container and len(self.faults) < _MOST_FAULTS:
            shown = key if len(key) <= 60 else f"{key[:60]}…"
            self.faults.append(Fault("json-key-twice", offset, f"has the key {shown!r} twice; the last one counts"))
        if self._next()[1] != ":":
            raise _Invalid(self._start, "misses a colon here")
        self._key = key
        return self._next()

    def _value(self, kind: str, token: str, offset: int) -> None:
        value: JSON
        if token in {"{", "["}:
            value = {} if token == "{" else []  # noqa: S105 - a bracket
        elif kind == "string":
            value = self._string(token, offset)
        elif kind == "scalar":
            value = _scalar(token, offset)
        else:
            raise _Invalid(offset, "ends too early" if kind == "end" else "is not valid JSON here")
        keys: Keys = ()
        if self._containers:
            container, above = self._containers[-1]
            if isinstance(container, dict):
                keys = (*above, self._key or "")
                container[self._key or ""] = value
            else:
                keys = (*above, len(container))
                container.append(value)
        else:
            self.root = value
        self.offsets[keys] = offset
        if isinstance(value, dict | list):
            if len(keys) >= MAX_DEPTH:
                raise _Invalid(offset, f"is nested more than {MAX_DEPTH} levels deep", "json-depth")
            self._containers.append((value, keys))

    def _next(self) -> tuple[str, str, int]:
        """Return the next token: its kind, its text and its offset."""
        while True:
            match = _TOKEN.match(self._text, self._position)
            self._start = self._position
            if match is None:
                ended = self._position >= len(self._text)
                return ("end" if ended else "unknown"), "", self._position
            self._position = match.end()
            if match.lastgroup == "comment":
                self._once("json-comment", match.start(), "has a comment, which agents refuse in JSON")
            elif match.lastgroup != "space":
                return str(match.lastgroup), match[0], match.start()

    def _once(self, rule: str, offset: int, problem: str) -> None:
        if rule not in self._seen:
            self._seen.add(rule)
            self.faults.append(Fault(rule, offset, problem))

    def _string(self, token: str, offset: int) -> str:
        text: str = json.loads(token)
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise _Invalid(offset, "has a text with a NUL or a lone surrogate here", "json-text")
        return text


def _scalar(token: str, offset: int) -> JSON:
    if len(token) > _LONGEST_NUMBER:
        raise _Invalid(offset, "has a number here that is too long", "json-number")
    value: Any = json.loads(token)
    if isinstance(value, float) and value in {float("inf"), float("-inf")}:
        raise _Invalid(offset, "has a number here that is too large", "json-number")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LARGEST:
        raise _Invalid(offset, "has a number here that is too large", "json-number")
    checked: JSON = value
    return checked
