"""What the whole project knows: summaries of functions, exception classes and what fills them, handlers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...engine.contract import JSON
from .sinks import REFUSALS, RESPONSES
from .values import AUTHORED, AUTHORED_ATTRIBUTES


@dataclass(slots=True)
class FunctionFacts:
    """What a call of a function does. `gives`: parameters, and attributes of them, of which something is in the
    result. `sends`: those of which something reaches a client in it, with the line. `error`: where the result has
    error text of its own; `unless` are the attributes (`class#attribute`) that it all comes from, where they are all
    of classes of other modules."""

    path: str
    parameters: tuple[str, ...] = ()
    gives: frozenset[str] = frozenset()
    sends: Mapping[str, int] = field(default_factory=dict)
    error: tuple[int, str] | None = None
    unless: tuple[str, ...] = ()

    def to_json(self) -> JSON:
        """As a summary keeps it."""
        error: JSON = [*self.error] if self.error else None
        return [self.path, list(self.parameters), sorted(self.gives), dict(self.sends), error, list(self.unless)]

    @classmethod
    def from_json(cls, told: Any) -> FunctionFacts:
        """What `to_json` gave."""
        path, names, gives, sends, error, unless = told
        return cls(path, tuple(names), frozenset(gives), dict(sends), tuple(error) if error else None, tuple(unless))


@dataclass(slots=True)
class Facts:
    """All of it. Names are qualified."""

    functions: dict[str, FunctionFacts] = field(default_factory=dict)
    bases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    filled: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)
    handlers: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    """Names by which a package offers what one of its modules defines, and what that is called there."""
    quiet: frozenset[str] = frozenset()
    """Paths of files that cannot have a finding."""

    def descends(self, name: str | None, roots: frozenset[str]) -> bool:
        """Whether a class of the project is, or inherits from, one of these."""
        seen: set[str] = set()
        waiting = [name] if name else []
        while waiting:
            one = waiting.pop()
            if one in roots:
                return True
            if one not in seen:
                seen.add(one)
                waiting += self.bases.get(one, ())
        return False

    def is_response(self, name: str | None) -> bool:
        """Whether the class is a response of the project's own."""
        return name in self.bases and self.descends(name, RESPONSES)

    def is_refusal(self, name: str | None) -> bool:
        """Whether the class is an exception of the project's own that becomes a response."""
        return name in self.bases and self.descends(name, REFUSALS)

    def is_authored(self, name: str) -> bool:
        """Whether the exception's detail was written for a client."""
        return self.descends(name, AUTHORED)

    def fills(self, name: str, attribute: str) -> tuple[str, int] | None:
        """Where somebody fills an attribute of the project's exception class from another exception."""
        asked = frozenset({self.aliases.get(name, name)})  # whoever catches it never meets one that it inherits from
        places = (place for kind, place in self.filled.items() if attribute in place and self.descends(kind, asked))
        return next((place[attribute] for place in places), None)

    def is_safe(self, part: str) -> bool:
        """Whether `class#attribute` is of an exception class of the project and filled from no other exception."""
        name, _, attribute = part.partition("#")
        if self.is_authored(name) and attribute not in AUTHORED_ATTRIBUTES:
            return False
        return name in self.bases and self.fills(name, attribute) is None

    def to_json(self) -> JSON:
        """As JSON, for the engine's cache."""
        return {
            "functions": {name: one.to_json() for name, one in self.functions.items()},
            "bases": {name: list(one) for name, one in self.bases.items()},
            "filled": {name: {key: list(place) for key, place in one.items()} for name, one in self.filled.items()},
            "handlers": dict(self.handlers),
            "aliases": dict(self.aliases),
            "quiet": sorted(self.quiet),
        }

    def add_json(self, told: Any) -> None:
        """Take in what `to_json` gave."""
        self.functions |= {name: FunctionFacts.from_json(one) for name, one in told["functions"].items()}
        self.bases |= {name: tuple(one) for name, one in told["bases"].items()}
        for name, one in told["filled"].items():
            self.filled.setdefault(name, {}).update({key: (place[0], place[1]) for key, place in one.items()})
        self.handlers |= told["handlers"]
        self.aliases |= told["aliases"]
        self.quiet |= frozenset(told["quiet"])
