"""What the project knows: summaries of functions, exception classes, what fills their attributes, and handlers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...engine.contract import JSON
from ...tables.errors import AUTHORED, AUTHORED_ATTRIBUTES
from .sink_table import ancestors


@dataclass(slots=True)
class FunctionFacts:
    """What a call of a function does. `returns`: parameters, and attributes of them, that are part of the result.
    `sends`: those that reach a client, with the line. `error`: where error text of its own gets into the result, and
    how. `conditions`: the attributes (`class#attribute`) of which one must be raw for `error` to be true."""

    path: str
    parameters: tuple[str, ...] = ()
    returns: frozenset[str] = frozenset()
    sends: Mapping[str, int] = field(default_factory=dict)
    error: tuple[int, str] | None = None
    conditions: tuple[str, ...] = ()

    @property
    def does_something(self) -> bool:
        """Whether a caller has anything to know of it."""
        return bool(self.returns or self.sends or self.error)

    def to_json(self) -> JSON:
        """Return it as a summary keeps it."""
        error: JSON = [*self.error] if self.error else None
        return [
            self.path, list(self.parameters), sorted(self.returns), dict(self.sends), error, list(self.conditions)
        ]  # fmt: skip

    @classmethod
    def from_json(cls, summary: Any) -> FunctionFacts:
        """Read what `to_json` returned."""
        path, names, returns, sends, error, conditions = summary
        return cls(
            path, tuple(names), frozenset(returns), dict(sends), tuple(error) if error else None, tuple(conditions)
        )


@dataclass(slots=True)
class Facts:
    """The facts of a module or of the project. All names are qualified. `raw_attributes`: by exception class, the
    attributes that are filled from another exception, with the place. `handlers`: functions that handle exceptions,
    with the class. `routes`: functions that a call registers and whose result is sent. `aliases`: names by which a
    package offers what one of its modules defines, with its name there. `clean_files`: paths of files that cannot
    have a finding."""

    functions: dict[str, FunctionFacts] = field(default_factory=dict)
    bases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    raw_attributes: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)
    handlers: dict[str, str] = field(default_factory=dict)
    routes: frozenset[str] = frozenset()
    aliases: dict[str, str] = field(default_factory=dict)
    clean_files: frozenset[str] = frozenset()

    def descends(self, name: str | None, roots: frozenset[str]) -> bool:
        """Return whether a class of the project is, or inherits from, one of these."""
        return any(base in roots for base in ancestors(name, self.bases))

    def is_authored(self, name: str) -> bool:
        """Return whether the exception's detail was written for a client."""
        return self.descends(name, AUTHORED)

    def raw_at(self, name: str, attribute: str) -> tuple[str, int] | None:
        """Return where an attribute of the project's exception class is filled from another exception, or None."""
        kinds = frozenset({self.aliases.get(name, name)})  # whoever catches it never meets one that it inherits from
        places = (
            place for kind, place in self.raw_attributes.items() if attribute in place and self.descends(kind, kinds)
        )
        return next((place[attribute] for place in places), None)

    def is_safe(self, qualified_attribute: str) -> bool:
        """Return whether `class#attribute` is of an exception class of the project that no place fills from another
        exception."""
        name, _, attribute = qualified_attribute.partition("#")
        if self.is_authored(name) and attribute not in AUTHORED_ATTRIBUTES:
            return False
        return name in self.bases and self.raw_at(name, attribute) is None

    def to_json(self) -> dict[str, JSON]:
        """Return them as JSON, for the engine's cache."""
        return {
            "functions": {name: function.to_json() for name, function in self.functions.items()},
            "bases": {name: list(bases) for name, bases in self.bases.items()},
            "raw_attributes": {
                name: {key: list(place) for key, place in places.items()}
                for name, places in self.raw_attributes.items()
            },
            "handlers": dict(self.handlers),
            "routes": sorted(self.routes),
            "aliases": dict(self.aliases),
            "clean_files": sorted(self.clean_files),
        }

    def add_json(self, facts: Any) -> None:
        """Add what `to_json` returned."""
        self.functions |= {name: FunctionFacts.from_json(function) for name, function in facts["functions"].items()}
        self.bases |= {name: tuple(bases) for name, bases in facts["bases"].items()}
        for name, places in facts["raw_attributes"].items():
            self.raw_attributes.setdefault(name, {}).update(
                {key: (place[0], place[1]) for key, place in places.items()}
            )
        self.handlers |= facts["handlers"]
        self.routes |= frozenset(facts["routes"])
        self.aliases |= facts["aliases"]
        self.clean_files |= frozenset(facts["clean_files"])
