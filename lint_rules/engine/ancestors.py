"""Finds what is around a node of a file's tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import libcst as cst

from .source_file import SourceFile
from .tree import children, every_node

Node = TypeVar("Node", bound=cst.CSTNode)


def parents(file: SourceFile) -> Mapping[int, cst.CSTNode]:
    """Return the node around each node, by the node's `id`."""
    return file.derived(
        "parents", lambda: {id(child): node for node in every_node(file.tree()) for child in children(node)}
    )


def ancestors(file: SourceFile, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield what is around a node, the innermost first."""
    around = parents(file)
    while (parent := around.get(id(node))) is not None:
        yield parent
        node = parent


def innermost(file: SourceFile, node: cst.CSTNode, *kinds: type[Node]) -> Node | None:
    """Return the node itself, or the innermost one of these kinds around it."""
    if isinstance(node, kinds):
        return node
    return next((parent for parent in ancestors(file, node) if isinstance(parent, kinds)), None)
