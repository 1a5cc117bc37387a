"""What a value carries: where raw error text in it comes from, as far as PP002 follows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

ERROR: Final = "error"
"""Text of an exception, a traceback or a failed process: must not reach a client."""
EXCEPTION: Final = "exception"
"""An exception itself; `name` is its class as a qualified name, or empty."""
MAYBE: Final = "maybe"
"""A result of `gather(…, return_exceptions=True)`: an exception or not, until somebody looks."""
PROCESS: Final = "process"
"""A finished process, whose `stderr` is text of a failure."""
PARAMETER: Final = "parameter"
"""Whatever the caller passes for the parameter `name`, or an attribute of it: how summaries are made."""


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """One thing that a value carries: `kind`, what it is called, where it began, and the way through helpers.

    The name of an error that is an attribute of an exception is `class#attribute` where the module does not know the
    class.
    """

    kind: str
    name: str
    line: int
    way: tuple[tuple[str, int, str], ...] = ()

    def part(self, attribute: str) -> Origin:
        """Of a parameter, its attribute: `error#detail`. Of an attribute's attribute, the first alone is kept."""
        return self if "#" in self.name else replace(self, name=f"{self.name}#{attribute}")

    def seen_as(self, kind: str) -> Origin:
        """Of a parameter, the same where it is of this class: `error@app.Failed`."""
        return self if "@" in self.name or "#" in self.name else replace(self, name=f"{self.name}@{kind}")


Taint = frozenset[Origin]
NOTHING: Final[Taint] = frozenset()
LEAKS: Final = frozenset({ERROR, EXCEPTION, MAYBE})

SAFE_ATTRIBUTES: Final = frozenset(
    {
        "__class__", "__name__", "__qualname__", "__module__", "code", "errno", "returncode", "slug", "status",
        "status_code", "type", "error_code", "http_status", "retry_after", "winerror", "lineno", "colno", "pos",
        "error_count", "title", "kind", "limit",
    }
)  # fmt: skip
"""Attributes of an exception that say which failure it is, and hold no text of it."""
ALWAYS_RAW: Final = frozenset({"args", "__cause__", "__context__", "__traceback__", "with_traceback"})
"""Attributes that hold raw text whatever the class."""
PROCESS_ATTRIBUTES: Final = frozenset({"stderr"})
AUTHORED: Final = frozenset(
    {
        "starlette.exceptions.HTTPException", "fastapi.HTTPException", "fastapi.exceptions.HTTPException",
        "starlette.exceptions.WebSocketException", "fastapi.WebSocketException",
        "fastapi.exceptions.RequestValidationError", "pydantic.ValidationError", "werkzeug.exceptions.HTTPException",
    }
)  # fmt: skip
"""Exceptions whose `detail`, `reason`, `headers` and `errors()` were written for a client; `body` is the
request's."""
AUTHORED_ATTRIBUTES: Final = frozenset({"detail", "reason", "headers", "errors", "body"})


def parsed(name: str) -> tuple[str, str, str]:
    """Parameter, class and attribute of what `Origin.part` and `Origin.seen_as` made; empty where there is none."""
    whole, _, attribute = name.partition("#")
    parameter, _, kind = whole.partition("@")
    return parameter, kind, attribute


def unless_safe(leaks: Taint) -> tuple[str, ...]:
    """The attributes that all of this comes from (`class#attribute`); nothing where something is raw by itself."""
    names = sorted(one.name for one in leaks)
    return tuple(names) if all("#" in one for one in names) else ()


def only(taint: Taint, *kinds: str) -> Taint:
    """Those of these kinds."""
    return frozenset(one for one in taint if one.kind in kinds)


def as_text(taint: Taint) -> Taint:
    """What a text made of the value carries."""
    return frozenset(
        Origin(ERROR, one.name, one.line, one.way) if one.kind in {EXCEPTION, MAYBE} else one
        for one in taint
        if one.kind != PROCESS
    )


_MOST = 16
LONGEST_WAY: Final = 6
"""Steps of a way through helpers that are kept; the first ones are what a reader needs."""


def few(taint: Taint) -> Taint:
    """The same, with the shortest way alone of each kind and name, once there are many."""
    if len(taint) <= _MOST:
        return taint
    kept: dict[tuple[str, str], Origin] = {}
    for one in sorted(taint, key=lambda origin: (len(origin.way), origin.line)):
        kept.setdefault((one.kind, one.name), one)
    return frozenset(kept.values())
