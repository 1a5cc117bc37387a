"""Numbers the nodes at which errors begin, so that a line is looked up only for what is reported."""

from __future__ import annotations

import re
from functools import cached_property

import libcst as cst

from ...engine.positions import lines_within
from ...engine.source_file import SourceFile
from ..syntax import Function
from .module import Module

_DEFINITION = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)


class Places:
    """The places of one file, numbered from 1 in the order in which they are first asked for."""

    def __init__(self, file: SourceFile, module: Module) -> None:
        self._file, self._module = file, module
        self._nodes: list[tuple[cst.CSTNode, Function | None]] = []
        self._numbers: dict[int, int] = {}
        self._function: Function | None = None
        self._lines: dict[int, dict[int, int]] = {}

    def within(self, function: Function | None) -> None:
        """Say in which function of the module the nodes are that are numbered from now on; None for none."""
        self._function = function

    def number(self, node: cst.CSTNode) -> int:
        """Return the node's number."""
        number = self._numbers.setdefault(id(node), len(self._nodes) + 1)
        if number > len(self._nodes):
            self._nodes.append((node, self._function))
        return number

    def line(self, number: int) -> int:
        """Return the line of the node with that number. It costs writing out the code of the function around it once,
        or of the whole file if the functions cannot be found in its text."""
        node, function = self._nodes[number - 1]
        if function is None or (start := self._starts.get(id(function))) is None:
            return self._file.span(node).line
        if id(function) not in self._lines:
            self._lines[id(function)] = lines_within(self._file.tree(), function)
        lines = self._lines[id(function)]
        return start + lines[id(node)] - lines[id(function)]

    @cached_property
    def _starts(self) -> dict[int, int]:
        """The lines of the functions; empty if the text has other definitions, in a string for example."""
        functions = self._module.definitions
        text = self._file.text
        matches = list(_DEFINITION.finditer(text))
        if "\r" in text or [match[1] for match in matches] != [function.name.value for function in functions]:
            return {}
        starts: dict[int, int] = {}
        line, before = 1, 0
        for function, match in zip(functions, matches, strict=True):
            line += text.count("\n", before, match.start())
            before = match.start()
            starts[id(function)] = line
        return starts
