"""The values that PP001 tells from each other, and their form in a summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import libcst as cst

from ....hookspecs import JSON
from .bindings import Function, Scope


@dataclass(frozen=True, slots=True)
class Instance:
    """A value of a kind that a table knows."""

    kind: str


@dataclass(frozen=True, slots=True)
class Method:
    """A method of such a value."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Named:
    """Something that was imported, by its dotted name, or what came of it: `steps` are `.name`, `()`, `item`,
    `enter` and `[]`."""

    name: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the project, by `module.Class`."""

    name: str


@dataclass(frozen=True, slots=True)
class Own:
    """An instance of a class of the project."""

    name: str


@dataclass(frozen=True, slots=True)
class Routine:
    """A function or a lambda of this module. `known` are texts of the parameters of the functions around it."""

    scope: Scope
    function: Function | None = None
    known: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Many:
    """A collection, a generator or an iterator. `is_manager`: entering it gives the item."""

    item: Value | None
    is_manager: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, by its values."""

    value: Value | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A tuple of known length."""

    parts: tuple[Value | None, ...]


@dataclass(frozen=True, slots=True)
class Factory:
    """Something that gives this value when it is called."""

    result: Value | None


@dataclass(frozen=True, slots=True)
class Bound:
    """`functools.partial`, by the value and the call that made it."""

    target: Value
    call: cst.Call
    scope: Scope


@dataclass(frozen=True, slots=True)
class Getter:
    """`operator.attrgetter` or `methodcaller`: it reads these attributes, and `calls` the last."""

    path: tuple[str, ...]
    calls: bool


@dataclass(frozen=True, slots=True)
class Command:
    """A program of sh or plumbum with its first words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Double:
    """A mock, a stub or a mocked route: nothing that is done with it is a use of an API."""


Value: TypeAlias = (
    "Instance | Method | Named | Class | Own | Routine | Many | Table | Pair | Factory | Bound | Getter | Command"
    " | Double"
)
DOUBLE = Double()


def best(values: Sequence[Value | None]) -> Value | None:
    """Return the first value of which more is known than the library that it comes from, else the first of all."""
    known = [value for value in values if value is not None]
    return next((value for value in known if not isinstance(value, Named)), known[0] if known else None)


def may_be_empty(value: Value | None) -> bool:
    """Return whether only what is added to a collection tells what is in it."""
    if isinstance(value, Named):
        return value.steps == ("()",)
    return value is None or value in {Many(None), Table(None)}


def encode(value: Value | None) -> JSON:
    """Return a value as JSON, or None if other modules cannot use it."""
    match value:
        case Instance(kind):
            return ["instance", kind]
        case Method(kind, name):
            return ["method", kind, name]
        case Named(name, steps):
            return ["named", name, *steps]
        case Class(name):
            return ["class", name]
        case Own(name):
            return ["own", name]
        case Many(item, is_manager):
            inner = encode(item)
            return None if inner is None else ["manager" if is_manager else "many", inner]
        case Table(item) | Factory(item):
            inner = encode(item)
            return None if inner is None else ["table" if isinstance(value, Table) else "factory", inner]
        case Pair(parts):
            encoded = [encode(part) for part in parts]
            return ["pair", *encoded] if any(part is not None for part in encoded) else None
        case Command(words):
            return ["command", *words]
    return None


def decode(data: JSON) -> Value | None:
    """Return what `encode` was given."""
    if not isinstance(data, Sequence) or isinstance(data, str) or not data:
        return None
    kind, *rest = data
    texts = tuple(str(part) for part in rest)
    match kind:
        case "instance":
            return Instance(texts[0])
        case "method":
            return Method(texts[0], texts[1])
        case "named":
            return Named(texts[0], texts[1:])
        case "class":
            return Class(texts[0])
        case "own":
            return Own(texts[0])
        case "many" | "manager":
            return Many(decode(rest[0]), kind == "manager")
        case "table":
            return Table(decode(rest[0]))
        case "factory":
            return Factory(decode(rest[0]))
        case "pair":
            return Pair(tuple(decode(part) for part in rest))
        case "command":
            return Command(texts)
    return None


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What the summaries of the other modules say. `names` are values by dotted name, `members` the attributes and
    method results (`name()`) of classes, `bases` their bases, `state` and `items` what is kept under an attribute or
    a key of an application, `fixtures` pytest's by name, `runners` functions that run what they are given, `passed`
    what calls pass to functions of other modules, `texts` constants, `stars` libraries of which a module takes all
    names."""

    names: Mapping[str, JSON]
    members: Mapping[str, Mapping[str, JSON]]
    bases: Mapping[str, Sequence[JSON]]
    state: Mapping[str, JSON]
    items: Mapping[str, JSON]
    fixtures: Mapping[str, JSON]
    runners: Mapping[str, JSON]
    passed: Mapping[str, Mapping[str, JSON]]
    texts: Mapping[str, JSON]
    stars: Mapping[str, Sequence[str]]


PARTS = ("names", "members", "bases", "state", "items", "fixtures", "runners", "passed", "texts", "stars")
NOTHING = ProjectFacts(*({} for _ in PARTS))
