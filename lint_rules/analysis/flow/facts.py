"""What the project knows: summaries of functions, classes, what is kept where, and handlers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...engine.contract import JSON
from ...tables.errors import AUTHORED, AUTHORED_ATTRIBUTES, AUTHORED_DETAILS, AUTHORED_MODULES
from ...tables.python_calls import CONTAINERS
from .sink_table import ancestors


class Item(NamedTuple):
    """Something that the result of a function or a store holds: as in `Origin`, with file, line and words of the step
    that put it there (line 0: no step)."""

    kind: str
    name: str
    path: tuple[str, ...]
    file: str
    line: int
    text: str

    @classmethod
    def from_json(cls, item: Any) -> Item:
        """Read what JSON made of it."""
        kind, name, path, file, line, text = item
        return cls(kind, name, tuple(path), file, line, text)


class Effect(NamedTuple):
    """What a call of a function puts somewhere: into a parameter or its part, or into a store."""

    kind: str
    target: str
    item: Item


@dataclass(slots=True)
class FunctionFacts:
    """What a call of a function does. `star` and `rest` are the names of `*args` and `**kwargs`. `result`: what the
    result holds, parameters among it. `sends`: parameters and parts of them that reach a client, with the line.
    `effects`: what it puts into its parameters and into stores."""

    path: str
    parameters: tuple[str, ...] = ()
    star: str = ""
    rest: str = ""
    result: tuple[Item, ...] = ()
    sends: Mapping[str, int] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    is_property: bool = False

    @property
    def does_something(self) -> bool:
        """Whether a caller has anything to know of it."""
        return bool(self.result or self.sends or self.effects)

    def to_json(self) -> JSON:
        """Return it as a summary keeps it."""
        result: list[JSON] = [listed_item(item) for item in self.result]
        effects: list[JSON] = [[effect.kind, effect.target, listed_item(effect.item)] for effect in self.effects]
        head: list[JSON] = [self.path, list(self.parameters), self.star, self.rest]
        return [*head, result, dict(self.sends), effects, self.is_property]

    @classmethod
    def from_json(cls, summary: Any) -> FunctionFacts:
        """Read what `to_json` returned."""
        path, names, star, rest, result, sends, effects, is_property = summary
        return cls(
            path,
            tuple(names),
            star,
            rest,
            tuple(map(Item.from_json, result)),
            dict(sends),
            tuple(Effect(kind, target, Item.from_json(item)) for kind, target, item in effects),
            is_property,
        )


@dataclass(slots=True)
class Facts:
    """The facts of a module or of the project. All names are qualified. `fields`: by class without an `__init__` of
    its own, the fields that a call fills. `rows`: classes whose objects are rows of a database. `made`: classes
    that something makes or raises; after `link`, of the project alone. `heap`: by module-level name, class, or other
    store, what is kept there (`class!`: what calls of the class fill). `handlers`: functions that handle exceptions,
    with the class. `routes`: functions that a call registers and whose result is sent.
    `aliases`: names by which a package offers what one of its modules defines, with its name there. `clean_files`:
    paths of files that cannot have a finding."""

    functions: dict[str, FunctionFacts] = field(default_factory=dict)
    bases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rows: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()
    heap: dict[str, list[Item]] = field(default_factory=dict)
    handlers: dict[str, str] = field(default_factory=dict)
    routes: frozenset[str] = frozenset()
    aliases: dict[str, str] = field(default_factory=dict)
    clean_files: frozenset[str] = frozenset()

    def descends(self, name: str | None, roots: frozenset[str]) -> bool:
        """Return whether a class of the project is, or inherits from, one of these."""
        return any(base in roots for base in ancestors(name, self.bases))

    def is_authored(self, name: str) -> bool:
        """Return whether the exception's detail was written for a client."""
        return any(base in AUTHORED or base.startswith(AUTHORED_MODULES) for base in ancestors(name, self.bases))

    def is_authored_attribute(self, name: str, attribute: str) -> bool:
        """Return whether an attribute of the exception was written for a client: also the `detail` of an
        `HTTPException` of whatever package."""
        if attribute in AUTHORED_DETAILS and name.rpartition(".")[2] == "HTTPException":
            return True
        return attribute in AUTHORED_ATTRIBUTES and self.is_authored(name)

    def method(self, kind: str, name: str) -> FunctionFacts | None:
        """Return what the method of the class does, also one that it inherits; None if nothing is known of it."""
        functions = (self.functions.get(f"{base}.{name}") for base in ancestors(kind, self.bases))
        return next((function for function in functions if function is not None), None)

    def fields_of(self, kind: str) -> tuple[str, ...]:
        """Return the fields that a call of the class fills by position, those that it inherits first."""
        names: list[str] = []
        for base in reversed(list(ancestors(kind, self.bases))):
            names += [name for name in self.fields.get(base, ()) if name not in names]
        return tuple(names)

    def is_row(self, kind: str) -> bool:
        """Return whether objects of the class are rows of a database."""
        return any(base in self.rows for base in ancestors(kind, self.bases))

    def is_container(self, kind: str) -> bool:
        """Return whether objects of the class are containers, or rows, which stand for their table."""
        return any(base in self.rows or base.rpartition(".")[2] in CONTAINERS for base in ancestors(kind, self.bases))

    def to_json(self) -> dict[str, JSON]:
        """Return them as JSON, for the engine's cache."""
        return {
            "functions": {name: function.to_json() for name, function in self.functions.items()},
            "bases": {name: list(bases) for name, bases in self.bases.items()},
            "fields": {name: list(fields) for name, fields in self.fields.items()},
            "rows": sorted(self.rows),
            "made": sorted(self.made),
            "heap": {root: [listed_item(item) for item in items] for root, items in self.heap.items()},
            "handlers": dict(self.handlers),
            "routes": sorted(self.routes),
            "aliases": dict(self.aliases),
            "clean_files": sorted(self.clean_files),
        }

    def add_json(self, facts: Any) -> None:
        """Add what `to_json` returned."""
        self.functions |= {name: FunctionFacts.from_json(function) for name, function in facts["functions"].items()}
        self.bases |= {name: tuple(bases) for name, bases in facts["bases"].items()}
        self.fields |= {name: tuple(fields) for name, fields in facts["fields"].items()}
        self.rows |= frozenset(facts["rows"])
        self.made |= frozenset(facts["made"])
        for root, items in facts["heap"].items():
            self.heap.setdefault(root, []).extend(map(Item.from_json, items))
        self.handlers |= facts["handlers"]
        self.routes |= frozenset(facts["routes"])
        self.aliases |= facts["aliases"]
        self.clean_files |= frozenset(facts["clean_files"])


def listed_item(item: Item) -> list[JSON]:
    """Return an item as JSON has it."""
    return [item.kind, item.name, list(item.path), item.file, item.line, item.text]


def families(bases: Mapping[str, tuple[str, ...]]) -> Mapping[str, frozenset[str]]:
    """Return by class the classes that are or inherit from it."""
    below: dict[str, set[str]] = {}
    for name in bases:
        for base in ancestors(name, bases):
            below.setdefault(base, set()).add(name)
    return {name: frozenset(kinds) for name, kinds in below.items()}
