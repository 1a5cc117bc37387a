"""Finds where the nodes of a LibCST tree stand, in a quarter of the time of LibCST's own PositionProvider.

A tree says where nothing stands: positions come from writing the code out again and counting. LibCST's provider keeps
lines and columns of every node; this one counts characters, and makes a line and a column of them when asked.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from types import TracebackType
from typing import Any

import libcst as cst

_LINE_END = re.compile(r"\r\n|\r|\n")


class Positions:
    """The positions of one module's nodes, as LibCST defines them: without the white space and the parentheses
    around a node, and without the decorators of a function."""

    def __init__(self, module: cst.Module, text: str) -> None:
        state = _Counter(module)
        module._codegen(state)  # type: ignore[arg-type]
        self._offsets = state.offsets
        self._length = len(text)
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._nodes = module  # the keys are the ids of its nodes, which must live as long

    def range_of(self, node: cst.CSTNode) -> tuple[int, int] | None:
        """Return the node's first character and the one behind its last, from 0; None for a node of another tree."""
        offsets = self._offsets.get(id(node))
        return None if offsets is None else (offsets[0], min(offsets[1], self._length))

    def place_of(self, offset: int) -> tuple[int, int]:
        """Return the line (from 1) and the column (from 1, in code points) of a character."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def lines_within(module: cst.Module, node: cst.CSTNode) -> dict[int, int]:
    """Return by identity how many line ends stand before each node of a part of a module, counted from anywhere: the
    differences are what counts. Costs what the part is long, not what the module is."""
    state = _LineCounter(module)
    node._codegen(state)  # type: ignore[arg-type]
    return {key: start for key, (start, _) in state.offsets.items()}


class _Counter:
    """What LibCST takes for a `CodegenState`: it counts characters and keeps none of them."""

    def __init__(self, module: cst.Module) -> None:
        self.default_indent, self.default_newline = module.default_indent, module.default_newline
        self.provider = None
        self.indent_tokens: list[str] = []
        self.tokens: list[str] = []
        self.offsets: dict[int, tuple[int, int]] = {}
        self.offset = 0
        self._indent = 0
        self._open: list[int] = []

    def increase_indent(self, value: str) -> None:
        self.indent_tokens.append(value)
        self._indent += len(value)

    def decrease_indent(self) -> None:
        self._indent -= len(self.indent_tokens.pop())

    def add_indent_tokens(self) -> None:
        self.offset += self._indent

    def add_token(self, value: str) -> None:
        self.offset += len(value)

    def pop_trailing_newline(self) -> None:
        """Take nothing back: no node ends behind the last line's end."""

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._open.append(self.offset)

    def after_codegen(self, node: cst.CSTNode) -> None:
        self.offsets.setdefault(id(node), (self._open.pop(), self.offset))

    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _Recording:
        return _Recording(self, node, start_node, end_node)


class _LineCounter(_Counter):
    """Counts the ends of lines instead of characters."""

    def add_indent_tokens(self) -> None:
        """Count nothing: white space ends no line."""

    def add_token(self, value: str) -> None:
        if "\r" in value:
            self.offset += len(_LINE_END.findall(value))
        elif "\n" in value:
            self.offset += value.count("\n")


class _Recording:
    """Notes where a node stands without the white space around it."""

    __slots__ = ("_counter", "_end_node", "_node", "_start", "_start_node")

    def __init__(self, counter: _Counter, node: Any, start_node: Any, end_node: Any) -> None:
        self._counter, self._node, self._start_node, self._end_node = counter, node, start_node, end_node

    def __enter__(self) -> None:
        self._start = self._counter.offset

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        offsets = self._counter.offsets
        start = self._start if self._start_node is None else offsets[id(self._start_node)][0]
        end = self._counter.offset if self._end_node is None else offsets[id(self._end_node)][1]
        offsets[id(self._node)] = (start, end)
