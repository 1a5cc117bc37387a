"""Reads JSON as bytes with the place of every value, so that entries can be taken out and every other byte stays.

It reads what agents read: RFC 8259, and where somebody wrote them comments, trailing commas, a byte order mark,
`NaN` and `Infinity`, and bytes that are not UTF-8 inside strings. It uses no recursion: a value may be nested as
deep as the text is long. A parser of a library gives values without their places, or decodes the bytes first.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from ...hookspecs.json import JSON

_BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = re.compile(rb"[ \t\r\n]+")
_COMMENT: Final = re.compile(rb"//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING: Final = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_SCALAR: Final = re.compile(
    rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null|NaN|-?Infinity"
)
_WORD: Final = re.compile(rb"[A-Za-z0-9_$+.-]")
_LINE_GOES_ON: Final = re.compile(rb"[ \t]*(?:\r?\n|//)")
_CONSTANTS: Final[dict[bytes, JSON]] = {
    b"true": True,
    b"false": False,
    b"null": None,
    b"NaN": float("nan"),
    b"Infinity": float("inf"),
    b"-Infinity": float("-inf"),
}


class JsonInvalid(Exception):
    """Raised when the bytes are not JSON; `line` counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} is not valid JSON")
        self.line = line


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an object: its place with the quotes, and its text."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class Node:
    """A value and its place: `content[start:end]`.

    `items` are the values of an array or an object, `keys` the keys of an object (one for each item), `commas` the
    offsets of the commas between and behind the items. `value` is what a scalar stands for; a number that Python
    refuses to read (over 4,300 digits) is None there, and equals nothing.
    """

    kind: Literal["object", "array", "string", "number", "constant"]
    start: int
    end: int = 0
    value: JSON = None
    keys: list[Key] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    commas: list[int] = field(default_factory=list)
    _index: dict[str, int] = field(default_factory=dict)
    _repeated: set[str] = field(default_factory=set)

    @property
    def is_container(self) -> bool:
        """Whether it is an object or an array."""
        return self.kind in {"object", "array"}

    def has_repeated(self, key: str) -> bool:
        """Whether an object has the key more than once."""
        self.index_of(key)
        return key in self._repeated

    def index_of(self, key: str) -> int | None:
        """The index of the last item with that key, which is the one that readers take; None if there is none."""
        if not self._index:
            for index, other in enumerate(self.keys):
                if other.text in self._index:
                    self._repeated.add(other.text)
                self._index[other.text] = index
        return self._index.get(key)

    def get(self, key: str) -> Node | None:
        """The value that readers find under the key of an object, or None."""
        index = self.index_of(key)
        return None if index is None else self.items[index]


@dataclass(frozen=True, slots=True)
class Document:
    """A text that was read: its bytes, its one value, and the places of its comments."""

    content: bytes
    root: Node
    comments: tuple[tuple[int, int], ...]

    def without(self, removed: Iterable[tuple[Node, int]], replaced: Iterable[tuple[Node, bytes]] = ()) -> bytes:
        """The bytes without some items of containers, and with others of its values replaced.

        A comma goes with each item; white space goes so that a text that `json.dumps` wrote stays one that it would
        write. Comments outside of the removed values stay. No removed or replaced value may lie in another one.
        """
        by_container: dict[int, tuple[Node, set[int]]] = {}
        for container, index in removed:
            by_container.setdefault(id(container), (container, set()))[1].add(index)
        line_ends = {end for start, end in self.comments if self.content.startswith(b"//", start)}
        edits = [(node.start, node.end, text) for node, text in replaced]
        for container, indexes in by_container.values():
            edits += ((start, end, b"") for start, end in self._spans(container, indexes, line_ends))
        kept: list[bytes] = []
        position = 0
        for start, end, text in sorted(edits):
            kept += (self.content[position : max(position, start)], text)
            position = max(position, end)
        return b"".join((*kept, self.content[position:]))

    def _spans(self, container: Node, removed: set[int], line_ends: set[int]) -> Iterable[tuple[int, int]]:
        if len(removed) == len(container.items):
            yield from self._emptied(container, line_ends)
            return
        first_kept = min(set(range(len(container.items))) - removed)
        for index in sorted(removed):
            start, end = _begin(container, index), container.items[index].end
            if index > first_kept:
                comma = container.commas[index - 1]
                yield comma, comma + 1
                yield self._back_over_space(start, end, line_ends), end
            else:
                comma = container.commas[index]
                yield start, _over_space(self.content, end, comma)
                yield comma, _over_space(self.content, comma + 1, len(self.content))

    def _emptied(self, container: Node, line_ends: set[int]) -> Iterable[tuple[int, int]]:
        inner = container.start + 1, container.end - 1
        spans = [(_begin(container, index), item.end) for index, item in enumerate(container.items)]
        between = zip([inner[0], *(end for _, end in spans)], [*(start for start, _ in spans), inner[1]], strict=True)
        starts = [start for start, _ in self.comments]
        if all(bisect_left(starts, begin) == bisect_left(starts, end) for begin, end in between):
            yield inner
            return
        for comma in container.commas:
            yield comma, comma + 1
        for start, end in spans:
            yield self._back_over_space(start, end, line_ends), end

    def _back_over_space(self, start: int, end: int, line_ends: set[int]) -> int:
        """Where the white space before `start` begins; behind its line break if a comment needs that one."""
        begin = start
        while begin and self.content[begin - 1 : begin].isspace():
            begin -= 1
        if begin in line_ends and not _LINE_GOES_ON.match(self.content, end):
            return self.content.index(b"\n", begin) + 1
        return begin


def parse(content: bytes) -> Document:
    """Read one JSON value with the places of all that is in it. Linear in time; may be repeated.

    Raises `JsonInvalid` if the bytes are not JSON, with what agents' readers also take (see the module).
    """
    return _Parser(content).document()


def value_of(node: Node) -> JSON:
    """The value as `json.loads` would give it. Raises `RecursionError` if it is nested too deep for Python."""
    if node.kind == "object":
        return {key.text: value_of(item) for key, item in zip(node.keys, node.items, strict=True)}
    if node.kind == "array":
        return [value_of(item) for item in node.items]
    return node.value


def depth(node: Node) -> int:
    """How deep the value is nested: 1 for a scalar."""
    deepest, waiting = 0, [(node, 1)]
    while waiting:
        current, level = waiting.pop()
        deepest = max(deepest, level)
        waiting += ((item, level + 1) for item in current.items)
    return deepest


def same(node: Node, value: JSON) -> bool:
    """Whether the node stands for the value: numbers by their value, objects whatever their order.

    An object with a key twice equals nothing. Recurses as deep as `value` is nested.
    """
    if isinstance(value, dict):
        if (
            node.kind != "object"
            or len(node.items) != len(value)
            or len({key.text for key in node.keys}) != len(value)
        ):
            return False
        return all(
            key.text in value and same(item, value[key.text]) for key, item in zip(node.keys, node.items, strict=True)
        )
    if isinstance(value, list | tuple):
        items = node.items if node.kind == "array" else None
        return items is not None and len(items) == len(value) and all(map(same, items, value))
    if node.is_container or (node.kind == "number" and node.value is None):
        return False
    if isinstance(value, bool) or isinstance(node.value, bool) or value is None or node.value is None:
        return node.value is value
    if isinstance(value, float) and math.isnan(value):
        return isinstance(node.value, float) and math.isnan(node.value)
    return (type(value) is type(node.value) is str and value == node.value) or _equal_numbers(node.value, value)


def _equal_numbers(first: JSON, second: JSON) -> bool:
    return isinstance(first, int | float) and isinstance(second, int | float) and first == second


def _begin(container: Node, index: int) -> int:
    return container.keys[index].start if container.keys else container.items[index].start


def _over_space(content: bytes, start: int, end: int) -> int:
    """Where the white space that begins at `start` ends, `end` at the most."""
    space = _SPACE.match(content, start, end)
    return space.end() if space else start


_Step: TypeAlias = Callable[[], "_Step | None"]


class _Parser:
    """Reads the text token by token; what is open stands on a stack of its own."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = len(_BOM) if content.startswith(_BOM) else 0
        self._comments: list[tuple[int, int]] = []
        self._open: list[Node] = []
        self._root: Node | None = None

    def document(self) -> Document:
        step: _Step | None = self._value
        while step is not None:
            self._skip()
            step = step()
        self._skip()
        if self._position != len(self._content) or self._root is None:
            raise self._invalid()
        return Document(self._content, self._root, tuple(self._comments))

    def _value(self) -> _Step | None:
        byte = self._content[self._position : self._position + 1]
        if byte in {b"{", b"["}:
            self._open.append(Node("object" if byte == b"{" else "array", self._position))
            self._position += 1
            return self._first_item
        if byte == b'"':
            start, end = self._take(_STRING)
            return self._add(Node("string", start, end, _text(self._content[start:end])))
        start, end = self._take(_SCALAR)
        if _WORD.match(self._content, end):
            raise self._invalid()
        token = self._content[start:end]
        if token in _CONSTANTS:
            kind: Literal["number", "constant"] = "number" if token.endswith((b"N", b"y")) else "constant"
            return self._add(Node(kind, start, end, _CONSTANTS[token]))
        return self._add(Node("number", start, end, _number(token)))

    def _first_item(self) -> _Step | None:
        return self._close() if self._at_end_of_container() else self._item()

    def _item(self) -> _Step | None:
        container = self._open[-1]
        if container.kind == "array":
            return self._value()
        start, end = self._take(_STRING)
        container.keys.append(Key(start, end, _text(self._content[start:end])))
        self._skip()
        self._expect(b":")
        return self._value

    def _after_item(self) -> _Step | None:
        if self._at_end_of_container():
            return self._close()
        self._open[-1].commas.append(self._position)
        self._expect(b",")
        return self._first_item  # a comma may stand behind the last item

    def _close(self) -> _Step | None:
        self._position += 1
        node = self._open.pop()
        node.end = self._position
        return self._add(node)

    def _add(self, node: Node) -> _Step | None:
        if not self._open:
            self._root = node
            return None
        self._open[-1].items.append(node)
        return self._after_item

    def _at_end_of_container(self) -> bool:
        closing = b"}" if self._open[-1].kind == "object" else b"]"
        return self._content.startswith(closing, self._position)

    def _skip(self) -> None:
        while match := _SPACE.match(self._content, self._position) or _COMMENT.match(self._content, self._position):
            if match.re is _COMMENT:
                self._comments.append(match.span())
            self._position = match.end()

    def _take(self, pattern: re.Pattern[bytes]) -> tuple[int, int]:
        match = pattern.match(self._content, self._position)
        if match is None:
            raise self._invalid()
        self._position = match.end()
        return match.span()

    def _expect(self, token: bytes) -> None:
        if not self._content.startswith(token, self._position):
            raise self._invalid()
        self._position += len(token)

    def _invalid(self) -> JsonInvalid:
        return JsonInvalid(self._content.count(b"\n", 0, self._position) + 1)


def _text(token: bytes) -> str:
    return str(json.loads(token.decode("utf-8", "surrogateescape")))


def _number(token: bytes) -> int | float | None:
    try:
        return float(token) if set(token) & set(b".eE") else int(token)
    except ValueError:
        return None
