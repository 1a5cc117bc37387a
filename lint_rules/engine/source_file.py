"""One Python file as a rule sees it: text and trees, each made at its first use and only once."""

from __future__ import annotations

import re
from ast import AST, Module
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from .errors import TooDeep, Unparsable
from .parser import parse_ast, parse_cst

if TYPE_CHECKING:
    import libcst

    from .positions import Positions

T = TypeVar("T")
_LINE = re.compile(r"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file. Lines from 1, inclusive; columns from 1, in code points, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class SourceFile:
    """One Python file, made of bytes: it reads nothing from the disk. It is parsed when a rule asks for a tree, at
    most once.

    `relative` is the path below the lint root, with `/`. `module` is the dotted name by which the project's own code
    imports the file, or None.
    """

    __slots__ = ("_derived", "_failed", "_lines", "_text", "data", "module", "path", "relative")

    def __init__(self, path: Path, relative: str, module: str | None, data: bytes) -> None:
        self.path = path
        self.relative = relative
        self.module = module
        self.data = data
        self._text: str | None = None
        self._lines: list[str] | None = None
        self._failed: dict[str, Unparsable] = {}
        self._derived: dict[str, object] = {}

    @property
    def text(self) -> str:
        """The decoded text without a byte order mark. Raises `Unparsable` (PP900) for a wrong encoding."""
        if self._text is None:
            self._text = decode(self.data)
        return self._text

    def line(self, number: int) -> str:
        """Return line `number` (from 1) without its end, as Python counts lines; `""` past the end."""
        lines = self._split()
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def lines(self) -> list[str]:
        """Return a new list of all lines without their ends."""
        lines = self._split()
        return lines[: len(lines) - 1] if lines[-1] == "" else lines[:]

    def span(self, node: AST | libcst.CSTNode) -> Span:
        """Return where a node of `tree()` stands (or one of `ast()`), in code points from 1: without the parentheses
        around it, and without a function's decorators. Raises `LookupError` for a node of another tree."""
        if isinstance(node, AST):
            return self._span_of_ast(node)
        positions = self._positions()
        offsets = positions.range_of(node)
        if offsets is None:
            raise LookupError(f"this {type(node).__name__} is no node of {self.relative}")
        return Span(*positions.place_of(offsets[0]), *positions.place_of(offsets[1]))

    def offsets(self, node: libcst.CSTNode) -> tuple[int, int]:
        """Return the node's first character in `text`, from 0, and the one behind its last. Raises `LookupError`."""
        offsets = self._positions().range_of(node)
        if offsets is None:
            raise LookupError(f"this {type(node).__name__} is no node of {self.relative}")
        return offsets

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of a character of `text`, both from 1."""
        return self._positions().place_of(offset)

    def tree(self) -> libcst.Module:
        """Return the LibCST tree. It is not a copy: do not change it. Raises `Unparsable` (PP900), with CPython's own
        words and place if it cannot read the file either."""
        return self._parsed("tree", self._parse_tree)

    def ast(self) -> Module:
        """Return the `ast` tree, about ten times cheaper than LibCST's, to choose what is worth reading. Raises
        `Unparsable` (PP900).

        Syntax newer than this interpreter is rewritten at the same length (downlevel.py), so that lines and columns
        stay right.
        """
        return self._parsed("ast", lambda: parse_ast(self.text))

    def cst(self) -> libcst.MetadataWrapper:
        """Return `tree()` with LibCST's metadata, which is slow. Raises `Unparsable` (PP900)."""
        from libcst import MetadataWrapper

        return self.derived("metadata", lambda: MetadataWrapper(self.tree(), unsafe_skip_copy=True))

    @property
    def unparsable(self) -> Unparsable | None:
        """Why there is no LibCST tree, if a rule has asked for it in vain."""
        return self._failed.get("tree")

    def forget(self) -> None:
        """Drop the trees and what was made of them; they are far larger than the text."""
        self._derived.clear()

    def derived(self, key: str, make: Callable[[], T]) -> T:
        """Return what `make()` returned at the first call with this key, as long as the trees are kept: what a rule
        makes of a tree and needs in its summary and in its check. Start `key` with the rule's code."""
        if key not in self._derived:
            self._derived[key] = make()
        return cast("T", self._derived[key])

    def _split(self) -> list[str]:
        if self._lines is None:
            self._lines = _LINE.split(self.text)
        return self._lines

    def _parsed(self, kind: str, parse: Callable[[], T]) -> T:
        if (failed := self._failed.get(kind)) is not None:
            raise failed
        try:
            return self.derived(kind, parse)
        except Unparsable as error:
            self._failed[kind] = error
            raise

    def _parse_tree(self) -> libcst.Module:
        tree = self._ast_or_none()
        try:
            return parse_cst(self.text, tree)
        except TooDeep:
            raise
        except Unparsable:
            if tree is None and (failed := self._failed.get("ast")) is not None:
                raise failed from None
            raise

    def _ast_or_none(self) -> Module | None:
        try:
            return self.ast()
        except TooDeep:
            raise
        except Unparsable:
            return None

    def _positions(self) -> Positions:
        from .positions import Positions

        return self.derived("positions", lambda: Positions(self.tree(), self.text))

    def _span_of_ast(self, node: AST) -> Span:
        """`ast` counts bytes from 0."""
        line = getattr(node, "lineno", 1)
        end_line = getattr(node, "end_lineno", None) or line
        column = self._code_points(line, getattr(node, "col_offset", 0))
        end_column = self._code_points(end_line, getattr(node, "end_col_offset", None) or 0)
        return Span(line, column + 1, end_line, end_column + 1)

    def _code_points(self, line: int, offset: int) -> int:
        text = self.line(line)
        if text.isascii():
            return offset
        return len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace"))


def decode(data: bytes) -> str:
    """Return Python source as text, by its byte order mark and coding line (PEP 263). Raises `Unparsable`."""
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
        encoding = "utf-8"
    else:
        encoding = _declared_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = len(re.findall(rb"\r\n|\r|\n", before)) + 1
        start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
        column = len(before[start:].decode(encoding, "replace")) + 1
        raise Unparsable(line, column, f"these bytes are not {encoding}") from error
    except (LookupError, UnicodeError, ValueError) as error:
        raise Unparsable(1, 1, f"the declared encoding {encoding!r} cannot be read") from error
    if "\0" in text:
        lines = _LINE.split(text.partition("\0")[0])
        raise Unparsable(len(lines), len(lines[-1]) + 1, "a NUL byte cannot stand in Python source")
    return text


def encode(text: str, like: bytes) -> bytes:
    """Return the text as bytes in the encoding of the source `like`, with a byte order mark if that has one. Raises
    `Unparsable` for a character that the encoding does not have."""
    mark = _BOM if like.startswith(_BOM) else b""
    encoding = "utf-8" if mark else _declared_encoding(like)
    try:
        return mark + text.encode(encoding)
    except UnicodeEncodeError as error:
        raise Unparsable(1, 1, f"{encoding} has no {text[error.start]!r}") from error
    except LookupError as error:
        raise Unparsable(1, 1, f"the declared encoding {encoding!r} cannot be read") from error


_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#|$)")


def _declared_encoding(data: bytes) -> str:
    for line in data[:2048].splitlines()[:2]:
        if cookie := _COOKIE.match(line):
            return cookie.group(1).decode("ascii")
        if not _BLANK.match(line):
            break
    return "utf-8"
