"""What the analysis of every function of a module shares, and what it gathers while it makes a summary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import libcst as cst

from .facts import Facts
from .heap import Heap
from .module import Module
from .places import Places
from .values import Origin, Taint

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
