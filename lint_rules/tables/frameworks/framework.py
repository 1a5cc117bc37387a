"""The shape of a web framework's table: facts behind PP002, which a project extends under `sinks`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sends:
    """Calls that send their arguments to a client, by qualified names of functions, classes and methods.

    A name that ends in `*` stands for all that begin so, one that begins with a dot for a method of any object.
    `arguments` are the positions and keywords that are sent (empty: all that can hold a text), `medium` is the kind
    of message.
    """

    calls: tuple[str, ...]
    arguments: tuple[int | str, ...] = ()
    medium: str = "a response"


@dataclass(frozen=True, slots=True)
class Framework:
    """What PP002 knows of one web framework; names are as in `Sends`.

    `responses`: classes of responses; what is set in a header or in the body of one is sent. `gives`: calls that give
    an object of a class. `routes`: decorators of functions, and calls that take a function, whose result is sent.
    `views`: classes with the methods whose results are sent. `handlers`: decorators and calls that make a function
    the handler of an exception class. `streams`: calls that send what a generator yields.
    """

    name: str
    sends: tuple[Sends, ...] = ()
    responses: tuple[str, ...] = ()
    gives: Mapping[str, str] = field(default_factory=dict)
    routes: tuple[str, ...] = ()
    views: Mapping[str, frozenset[str]] = field(default_factory=dict)
    handlers: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()


VERBS = frozenset({"delete", "get", "head", "options", "patch", "post", "put"})


def names_in(modules: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return each name as each of the modules has it."""
    return tuple(f"{module}.{name}" for module in modules for name in names)
