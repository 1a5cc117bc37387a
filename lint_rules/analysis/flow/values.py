"""What a value carries: where the raw error text in it comes from, and what else PP002 has to know of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

ERROR: Final = "error"
"""Text of an exception, a traceback or a failed process, which must not reach a client."""
EXCEPTION: Final = "exception"
"""An exception itself; `name` is its class as a qualified name, or empty."""
MAYBE: Final = "maybe"
"""A result of `gather(…, return_exceptions=True)`: an exception or not, until the code checks."""
FIELD: Final = "field"
"""An attribute of an exception whose class may be the project's: `class#attribute`, `class#__str__` for its text."""
PROCESS: Final = "process"
"""A finished process; `name` is `failed` where the code knows that it failed."""
OUTPUT: Final = "output"
"""The standard output of a process: raw where the code knows that the process failed."""
STATUS: Final = "status"
"""The exit code of a process."""
CLIENT: Final = "client"
"""A connection over which commands run."""
INSTANCE: Final = "instance"
"""An object that was made here, of the project's class `name`: what it holds is known, at its paths."""
PARAMETER: Final = "parameter"
"""What the caller passes for a parameter, or a part of it: summaries are made of these."""
STORE: Final = "store"
"""What a name of a module, an attribute of a class or the application's state keeps: `root#part#part`."""


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """One thing that a value carries: its kind and name, the place where it began (a number of `Places`), its trace
    through helpers (path, line, message), and the `path` of keys and attributes at which it is in the value.

    The parts in the name of a parameter or a store are attributes (`error#detail`), keys (`row#[error]`, of a store
    without brackets; `*` for any) and methods (`job#run()`).
    """

    kind: str
    name: str
    place: int
    trace: tuple[tuple[str, int, str], ...] = ()
    path: tuple[str, ...] = ()

    def part(self, part: str) -> Origin:
        """Return a part of a parameter or a store; a part that lies too deep is the whole."""
        if self.name.count("#") >= DEEPEST_PART:
            return self
        return Origin(self.kind, f"{self.name}#{part}", self.place, self.trace, self.path)

    def at(self, path: tuple[str, ...]) -> Origin:
        """Return it at another path."""
        return Origin(self.kind, self.name, self.place, self.trace, path)

    def narrowed_to(self, kind: str) -> Origin:
        """Return the parameter for the case that it is of this class: `error@app.Failed`."""
        return self if "@" in self.name or "#" in self.name else replace(self, name=f"{self.name}@{kind}")


Taint = frozenset[Origin]
NOTHING: Final[Taint] = frozenset()
LEAKS: Final = frozenset({ERROR, EXCEPTION, MAYBE, FIELD})
SENT: Final = frozenset({*LEAKS, STORE})
"""What is reported if it is sent; a store if something raw is kept in it."""
PROCESSES: Final = frozenset({PROCESS, OUTPUT, STATUS})
ANY: Final = "*"
"""Any key of a value, as one that is not known."""
ELEMENT: Final = "+"
"""What a loop over a value gives."""
TEXT: Final = "__str__"
"""The part of an exception that is its text."""
DEEPEST_PART: Final = 8
_LONGEST_PATH = 4
_MOST_ORIGINS = 16
_MOST_KEPT = 24
LONGEST_TRACE: Final = 6
"""Steps of a trace that are kept; the first ones are what a reader needs."""


def split_name(name: str) -> tuple[str, str, tuple[str, ...]]:
    """Return parameter, class and parts of a name from `narrowed_to` and `part`; empty if there are none."""
    narrowed, *parts = name.split("#")
    parameter, _, kind = narrowed.partition("@")
    return parameter, kind, tuple(parts)


def of_kind(taint: Taint, *kinds: str) -> Taint:
    """Return the origins of these kinds."""
    return frozenset([origin for origin in taint if origin.kind in kinds]) if taint else taint


def joined(taints: Iterable[Taint]) -> Taint:
    """Return what all of them carry."""
    return NOTHING.union(*taints)


def at(taint: Taint, *path: str) -> Taint:
    """Return what a value carries that holds this one at a path."""
    if not path or not taint:
        return taint
    return frozenset([origin.at((*path, *origin.path)[:_LONGEST_PATH]) for origin in taint])


def as_text(taint: Taint) -> Taint:
    """Return what a text made of the value carries."""
    return joined([_text_of(origin) for origin in taint]) if taint else taint


def _text_of(origin: Origin) -> Taint:
    if origin.kind in {PROCESS, STATUS, CLIENT, INSTANCE}:
        return NOTHING
    if origin.kind == EXCEPTION and origin.name:
        return frozenset({replace(origin, kind=FIELD, name=f"{origin.name}#{TEXT}", path=())})
    if origin.kind in {EXCEPTION, MAYBE}:
        return frozenset({replace(origin, kind=ERROR, path=())})
    return frozenset({origin.at(()) if origin.path else origin})


def same_key(held: str, asked: str) -> bool:
    """Return whether what a value holds at one key may be meant by another; a loop over a dict gives its keys, not
    what it holds."""
    if asked in {held, ANY}:
        return True
    if held == ANY:
        return asked != ELEMENT
    return (held == ELEMENT and asked.isdigit()) or (asked == ELEMENT and held.isdigit())


def below(taint: Taint, key: str) -> Taint:
    """Return what the value at a key (`*`: at any) carries."""
    if not taint:
        return taint
    parts: set[Origin] = set()
    for origin in taint:
        if origin.path:
            if same_key(origin.path[0], key):
                parts.add(origin.at(origin.path[1:]))
        elif origin.kind == STORE:
            parts.add(origin.part(key))
        elif origin.kind == PARAMETER:
            parts.add(origin.part(f"[{key}]"))
        elif origin.kind not in {PROCESS, INSTANCE}:
            parts.add(origin)
    return frozenset(parts)


def elements_of(taint: Taint) -> Taint:
    """Return what the elements carry that a loop over the value gives."""
    return below(taint, ELEMENT)


def listed(taint: Taint) -> Taint:
    """Return what `list(value)` carries: of a dict it has the keys."""
    texts = frozenset(origin for origin in taint if not origin.path and origin.kind not in {STORE, PARAMETER})
    return texts | at(elements_of(taint - texts), ELEMENT)


def bounded(taint: Taint) -> Taint:
    """Return the taint with only the shortest trace of each kind, name and path, if it has many origins."""
    if len(taint) <= _MOST_ORIGINS:
        return taint
    kept: dict[tuple[str, str, tuple[str, ...]], Origin] = {}
    for origin in sorted(taint, key=lambda origin: (len(origin.trace), origin.place)):
        kept.setdefault((origin.kind, origin.name, origin.path), origin)
    if len(kept) > _MOST_KEPT:
        return frozenset(sorted(kept.values(), key=_weight)[:_MOST_KEPT])
    return frozenset(kept.values())


def _weight(origin: Origin) -> tuple[bool, int, Origin]:
    """Order origins by what is the last to be forgotten: raw text, then what lies near the top of a value."""
    return origin.kind not in LEAKS, origin.name.count("#") + len(origin.path), origin
