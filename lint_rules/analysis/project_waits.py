"""What the functions and values of a project's other modules wait for, by the summaries of those modules."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..engine.contract import Summaries, TraceStep
from ..tables.blocking_apis import KINDS, MAKERS
from ..tables.kinds import Kind

INSTANCE = "an instance of "
"""Begins the kind of an instance of a class of the project; its dotted name follows."""
_DEEPEST = 8
_LIBRARIES = frozenset(name.partition(".")[0] for name in MAKERS) | sys.stdlib_module_names


@dataclass(frozen=True, slots=True)
class Wait:
    """What an expression waits for: the call that does, what to use instead, the first helper on the way (empty if
    there is none), and the way through helpers."""

    call: str
    instead: str
    helper: str = ""
    trace: tuple[TraceStep, ...] = ()

    def through(self, helper: str, path: str, line: int, name: str) -> Wait:
        """Return the wait of a helper called `name`, which makes this call at that place."""
        step = TraceStep(path, line, f"{self.helper or self.call} in `{name}`")
        return replace(self, helper=helper, trace=(step, *self.trace))


class ProjectWaits:
    """The modules of a project, as one of them sees them. `kinds` are those of libraries, and of the project's
    classes that were asked for."""

    def __init__(self, summaries: Summaries) -> None:
        self.kinds: dict[str, Kind] = dict(KINDS)
        self.makers = _Lookup(MAKERS, partial(self._kind, part="gives"))
        self.values = _Lookup({}, partial(self._kind, part="values"))
        self._summaries = summaries
        self._waits: dict[tuple[str, bool], Wait | None] = {}

    def wait_of(self, dotted: str, is_read: bool = False, depth: int = 0) -> Wait | None:
        """Return what a call of that function or method waits for, or (`is_read`) a read of that property."""
        key = (dotted, is_read)
        if key not in self._waits:
            self._waits[key] = None  # a function that calls itself adds nothing
            self._waits[key] = self._wait_of(dotted, is_read, depth) if depth < _DEEPEST else None
        return self._waits[key]

    def may_wait(self, dotted: str, names: frozenset[str], depth: int = 0) -> bool:
        """Return whether something of an imported module, class, function or value waits, if it is among the names
        that a file uses."""
        summary = self._summary(dotted)
        if summary is not None and any(
            name.rpartition(".")[2] in names and self._waits_somehow(f"{dotted}.{name}")
            for name in summary.get("functions", {})
        ):
            return True
        if summary is not None and any(
            self._kind_may_wait(kind, names, depth)
            for part in ("values", "gives")
            for name, kind in summary.get(part, {}).items()
            if name in names
        ):
            return True
        if summary is not None and depth < _DEEPEST:
            aliases = summary.get("aliases", {}).items()
            if any(name in names and self.may_wait(target, names, depth + 1) for name, target in aliases):
                return True
        return any(self._may_wait(rest, known, dotted, names, depth) for _, rest, known in self._places(dotted))

    def _may_wait(
        self, rest: str, summary: Mapping[str, Any], dotted: str, names: frozenset[str], depth: int
    ) -> bool:
        if rest in summary.get("functions", {}) and self._waits_somehow(dotted):
            return True
        if rest in summary.get("classes", {}):
            methods = (name for name in summary.get("functions", {}) if name.startswith(f"{rest}."))
            module = dotted.removesuffix(rest)
            if any(self._waits_somehow(f"{module}{method}") for method in methods):
                return True
            return depth < _DEEPEST and any(
                self.may_wait(base, names, depth + 1) for base in summary["classes"][rest]
            )
        for part in ("values", "gives"):
            if (kind := summary.get(part, {}).get(rest)) is not None and self._kind_may_wait(kind, names, depth):
                return True
        target = _alias(summary, rest)
        return (
            target is not None and target != dotted and depth < _DEEPEST and self.may_wait(target, names, depth + 1)
        )

    def _kind_may_wait(self, kind: str, names: frozenset[str], depth: int) -> bool:
        if kind.startswith(INSTANCE):
            return depth < _DEEPEST and self.may_wait(kind.removeprefix(INSTANCE), names, depth + 1)
        return kind in KINDS

    def _waits_somehow(self, dotted: str) -> bool:
        return self.wait_of(dotted) is not None or self.wait_of(dotted, True) is not None

    def _summary(self, module: str) -> Mapping[str, Any] | None:
        if module.partition(".")[0] in _LIBRARIES or self._summaries.path_of(module) is None:
            return None
        summary = self._summaries.of_module(module)
        return summary if isinstance(summary, Mapping) else None

    def moves(self, dotted: str) -> bool:
        """Return whether that decorator may run what it decorates elsewhere."""
        for _, rest, summary in self._places(dotted):
            if rest in summary.get("moves", ()):
                return True
            if (target := _alias(summary, rest)) is not None and target != dotted:
                return self.moves(target)
        return False

    def _wait_of(self, dotted: str, is_read: bool, depth: int) -> Wait | None:
        for module, rest, summary in self._places(dotted):
            first, _, method = rest.partition(".")
            name = f"{rest}.__init__" if rest in summary.get("classes", {}) and not is_read else rest
            facts = summary.get("functions", {}).get(name)
            if facts is not None and facts["property"] is is_read:
                return self._of_facts(module, rest, facts, is_read, depth)
            if method and first in summary.get("classes", {}):
                return self._of_bases(summary["classes"][first], method, is_read, depth)
            if method and (kind := summary.get("values", {}).get(first)) is not None:
                return self._of_kind(kind, method, is_read, depth)
            if (target := _alias(summary, rest)) is not None and target != dotted:
                return self.wait_of(target, is_read, depth + 1)
        return None

    def _of_facts(self, module: str, rest: str, facts: Mapping[str, Any], is_read: bool, depth: int) -> Wait | None:
        path = self._summaries.path_of(module) or ""
        spelled = rest.rpartition(".")[2] if is_read else f"{rest.rpartition('.')[2]}()"
        if "wait" in facts:
            line, call, instead = facts["wait"]
            return Wait(call, instead).through(spelled, path, line, rest)
        for dotted, line, is_only_read in facts["calls"]:
            wait = self.wait_of(dotted, is_only_read, depth + 1)
            if wait is not None:
                return wait.through(spelled, path, line, rest)
        return None

    def _of_bases(self, bases: list[str], method: str, is_read: bool, depth: int) -> Wait | None:
        for base in bases:
            if (wait := self.wait_of(f"{base}.{method}", is_read, depth + 1)) is not None:
                return wait
        return None

    def _of_kind(self, kind: str, method: str, is_read: bool, depth: int) -> Wait | None:
        if kind.startswith(INSTANCE):
            return self.wait_of(f"{kind.removeprefix(INSTANCE)}.{method}", is_read, depth + 1)
        known = KINDS.get(kind)
        if known is None or is_read or "." in method or not known.blocks(method):
            return None
        return Wait(f"{method}() of {kind}", "use await asyncio.to_thread(…)")

    def _kind(self, dotted: str, part: str) -> str | None:
        """Return the kind of what the summaries have under a name: of a value, or (`gives`) of what a call of that
        class or function makes."""
        for module, rest, summary in self._places(dotted):
            kind = summary.get(part, {}).get(rest)
            if part == "gives" and rest in summary.get("classes", {}):
                kind = f"{INSTANCE}{module}.{rest}"
            if kind is not None:
                self.kinds.setdefault(kind, Kind(kind))
                return str(kind)
            if (target := _alias(summary, rest)) is not None and target != dotted:
                return (self.makers if part == "gives" else self.values).get(target)
        return None

    def _places(self, dotted: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield the module of a dotted name, the name within it, and the module's summary; nothing for a library."""
        parts = dotted.split(".")
        if parts[0] in _LIBRARIES or not parts[0]:
            return
        for length in range(len(parts) - 1, 0, -1):
            module = ".".join(parts[:length])
            if self._summaries.path_of(module) is not None:
                summary = self._summaries.of_module(module)
                if isinstance(summary, Mapping):
                    yield module, ".".join(parts[length:]), summary
                return


def _alias(summary: Mapping[str, Any], rest: str) -> str | None:
    """Return what a name of the module is in the module that it was imported from."""
    first, _, more = rest.partition(".")
    target = summary.get("aliases", {}).get(first)
    if target is None:
        return None
    return f"{target}.{more}" if more else str(target)


class _Lookup(Mapping[str, str]):
    """A table with what is looked up in the project's summaries behind it."""

    def __init__(self, table: Mapping[str, str], look_up: Any) -> None:
        self._table = table
        self._look_up = look_up
        self._known: dict[str, str | None] = {}

    def __getitem__(self, name: str) -> str:
        if (kind := self._table.get(name)) is not None:
            return kind
        if name not in self._known:
            self._known[name] = None
            self._known[name] = self._look_up(name)
        if (answer := self._known[name]) is None:
            raise KeyError(name)
        return answer

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)
