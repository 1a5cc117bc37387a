"""Numbers the nodes at which errors begin, so that a line is looked up only for what is reported."""

from __future__ import annotations

import libcst as cst

from ...engine.source_file import SourceFile


class Places:
    """The places of one file, numbered from 1 in the order in which they are first asked for."""

    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self._nodes: list[cst.CSTNode] = []
        self._numbers: dict[int, int] = {}

    def number(self, node: cst.CSTNode) -> int:
        """Return the node's number."""
        number = self._numbers.setdefault(id(node), len(self._nodes) + 1)
        if number > len(self._nodes):
            self._nodes.append(node)
        return number

    def line(self, number: int) -> int:
        """Return the line of the node with that number. The first call costs a pass over the file's code."""
        return self._file.span(self._nodes[number - 1]).line
