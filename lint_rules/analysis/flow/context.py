"""What the analysis of every function of a module shares, and what it gathers while it makes a summary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import libcst as cst

from .facts import Facts
from .heap import Heap
from .module import Module
from .places import Places
from .values import LEAKS, Origin, Taint

_MOST_KEPT = 150
"""Things that one store of a module is known to keep."""
_MOST_PASSED = 8
"""Things that one parameter is known to be given."""

Environment = dict[str, Taint]
Report = Callable[[cst.CSTNode, str, Taint], None]
"""Receives a node that sends something, the medium, and what is sent."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that is put somewhere: `origin` into the store `root`, at `path`."""

    root: str
    path: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Passed:
    """An argument of a call of something that another module may define: `callee` is a store's name, `parameter` a
    name or `#position`."""

    callee: str
    parameter: str
    origin: Origin


@dataclass(slots=True)
class Gathered:
    """What following the functions of a module gathers for its summary. `sent`: kind and name of what reaches a sink,
    as far as the module itself says. Order does not count."""

    kept: dict[Kept, None] = field(default_factory=dict)
    passed: dict[Passed, None] = field(default_factory=dict)
    made: dict[str, None] = field(default_factory=dict)
    sent: dict[tuple[str, str], None] = field(default_factory=dict)
    _counts: dict[tuple[str, ...], int] = field(default_factory=dict)

    def keep(self, kept: Kept) -> None:
        """Note what is put into a store; of one that takes very much, what is raw and the first of the rest."""
        is_raw = kept.origin.kind in LEAKS
        if kept not in self.kept and self._has_room((kept.root, str(is_raw)), _MOST_KEPT):
            self.kept[kept] = None

    def hand_on(self, passed: Passed) -> None:
        """Note an argument; of very many in one place the first."""
        if passed not in self.passed and self._has_room((passed.callee, passed.parameter), _MOST_PASSED):
            self.passed[passed] = None

    def _has_room(self, key: tuple[str, ...], most: int) -> bool:
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._counts[key] <= most


@dataclass(frozen=True, slots=True)
class Context:
    """The module and the project's facts. `streams` are the generators of the module that are streamed to a client;
    `gathered` is None unless a summary is made."""

    module: Module
    facts: Facts
    heap: Heap
    sanitizers: frozenset[str]
    report: Report
    places: Places
    streams: frozenset[str] = frozenset()
    gathered: Gathered | None = None
