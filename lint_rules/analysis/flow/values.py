"""What a value carries: where the raw error text in it comes from, as far as PP002 follows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

ERROR: Final = "error"
"""Text of an exception, a traceback or a failed process, which must not reach a client."""
EXCEPTION: Final = "exception"
"""An exception itself; `name` is its class as a qualified name, or empty."""
MAYBE: Final = "maybe"
"""A result of `gather(…, return_exceptions=True)`: an exception or not, until the code checks."""
PROCESS: Final = "process"
"""A finished process, whose `stderr` is text of a failure."""
PARAMETER: Final = "parameter"
"""What the caller passes for the parameter `name`, or an attribute of it: summaries are made of these."""


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """One thing that a value carries: its kind and name, the place where it began (a number of
    `Places`), and its trace through helpers (path, line, message).

    The name of an error that is an attribute of an exception is `class#attribute` if the module does not know the
    class.
    """

    kind: str
    name: str
    place: int
    trace: tuple[tuple[str, int, str], ...] = ()

    def attribute(self, name: str) -> Origin:
        """Return a parameter's attribute: `error#detail`. Of an attribute's attribute, the first alone is kept."""
        return self if "#" in self.name else replace(self, name=f"{self.name}#{name}")

    def narrowed_to(self, kind: str) -> Origin:
        """Return the parameter for the case that it is of this class: `error@app.Failed`."""
        return self if "@" in self.name or "#" in self.name else replace(self, name=f"{self.name}@{kind}")


Taint = frozenset[Origin]
NOTHING: Final[Taint] = frozenset()
LEAKS: Final = frozenset({ERROR, EXCEPTION, MAYBE})
_MOST_ORIGINS = 16
LONGEST_TRACE: Final = 6
"""Steps of a trace that are kept; the first ones are what a reader needs."""


def split_name(name: str) -> tuple[str, str, str]:
    """Return parameter, class and attribute of a name from `attribute` and `narrowed_to`; empty if there is none."""
    narrowed, _, attribute = name.partition("#")
    parameter, _, kind = narrowed.partition("@")
    return parameter, kind, attribute


def conditions(leaks: Taint) -> tuple[str, ...]:
    """Return the attributes (`class#attribute`) of which one must be raw for these leaks to be any; empty if
    something is raw by itself."""
    names = sorted(origin.name for origin in leaks)
    return tuple(names) if all("#" in name for name in names) else ()


def of_kind(taint: Taint, *kinds: str) -> Taint:
    """Return the origins of these kinds."""
    return frozenset(origin for origin in taint if origin.kind in kinds)


def as_text(taint: Taint) -> Taint:
    """Return what a text made of the value carries."""
    return frozenset(
        replace(origin, kind=ERROR) if origin.kind in {EXCEPTION, MAYBE} else origin
        for origin in taint
        if origin.kind != PROCESS
    )


def bounded(taint: Taint) -> Taint:
    """Return the taint with only the shortest trace of each kind and name, if it has many origins."""
    if len(taint) <= _MOST_ORIGINS:
        return taint
    kept: dict[tuple[str, str], Origin] = {}
    for origin in sorted(taint, key=lambda origin: (len(origin.trace), origin.place)):
        kept.setdefault((origin.kind, origin.name), origin)
    return frozenset(kept.values())
