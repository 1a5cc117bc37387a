"""The tables of all web frameworks, and of the project's configuration, as one index of names."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from ...tables.frameworks import FRAMEWORKS, Framework, Sends
from .configured_sinks import configured

Bases = Mapping[str, tuple[str, ...]]
_T = TypeVar("_T")


class SinkTable:
    """What the frameworks know, by qualified name. `bases` are those of the project's classes: a class sends what one
    that it inherits from sends. `packages` are the packages of all names, `registering` the last parts of what makes
    a route or a handler."""

    def __init__(self, frameworks: Iterable[Framework]) -> None:
        known = tuple(frameworks)
        self._sends = _Names({name: sends for item in known for sends in item.sends for name in sends.calls})
        self._responses = _Names({name: True for item in known for name in item.responses})
        self._gives = _Names({name: kind for item in known for name, kind in item.gives.items()})
        self._views = _Names({name: methods for item in known for name, methods in item.views.items()})
        self._routes = _Names({name: True for item in known for name in item.routes})
        self._handlers = _Names({name: True for item in known for name in item.handlers})
        self._streams = _Names({name: True for item in known for name in item.streams})
        self._classes = frozenset(
            name.rpartition(".")[0] for item in known for sends in item.sends for name in sends.calls
        )
        self.methods = frozenset(
            name.rpartition(".")[2] for item in known for sends in item.sends for name in sends.calls
        )
        self.packages = frozenset(_packages(known))
        self.registering = frozenset(
            name.rpartition(".")[2] for item in known for name in (*item.routes, *item.handlers)
        )
        self.view_methods = frozenset().union(*(methods for item in known for methods in item.views.values()))

    def sends(self, name: str, bases: Bases) -> Sends | None:
        """Return what a call of the function, class or `class.method` sends; `.method` is one of any object."""
        if (exact := self._sends.get(name)) is not None or name not in bases:
            return exact
        return next((sends for base in ancestors(name, bases) if (sends := self._sends.get(base)) is not None), None)

    def method_sends(self, kind: str, path: str, bases: Bases) -> Sends | None:
        """Return what a call of `path` of an object of that class sends."""
        for base in ancestors(kind, bases):
            if (sends := self._sends.get(f"{base}.{path}")) is not None:
                return sends
        return None

    def with_mixins(self, bases: Bases) -> dict[str, tuple[str, ...]]:
        """Let each class of the project that is mixed into one of a framework inherit from that, too."""
        mixed = dict(bases)
        for kinds in bases.values():
            known = tuple(kind for kind in kinds if kind in self._classes)
            for kind in kinds if known else ():
                if kind in mixed:
                    mixed[kind] = (*mixed[kind], *(base for base in known if base not in mixed[kind]))
        return mixed

    def is_response(self, kind: str, bases: Bases) -> bool:
        """Return whether an object of that class is a response."""
        return any(self._responses.get(base) for base in ancestors(kind, bases))

    def given_by(self, name: str) -> str | None:
        """Return the class of what a call of the function, `class.method` or `.method` gives."""
        return self._gives.get(name)

    def is_view(self, kind: str, method: str, bases: Bases) -> bool:
        """Return whether the result of that method of the class is sent."""
        return any(method in (self._views.get(base) or ()) for base in ancestors(kind, bases))

    def makes_route(self, name: str) -> bool:
        """Return whether a decorator, or a call, of that name makes a route whose result is sent."""
        return self._routes.get(name) is not None

    def makes_handler(self, name: str) -> bool:
        """Return whether a decorator, or a call, of that name makes a handler of an exception class."""
        return self._handlers.get(name) is not None

    def streams(self, name: str) -> bool:
        """Return whether a call of that name sends what a generator yields."""
        return self._streams.get(name) is not None


def _packages(frameworks: Iterable[Framework]) -> Iterator[str]:
    for item in frameworks:
        sent = (name for sends in item.sends for name in sends.calls)
        for name in (*sent, *item.responses, *item.routes, *item.views, *item.handlers, *item.streams):
            if package := name.partition(".")[0].rstrip("*"):
                yield package


class _Names(Generic[_T]):
    """Values by name; a name that ends in `*` stands for all that begin so."""

    def __init__(self, values: Mapping[str, _T]) -> None:
        self._exact = {name: value for name, value in values.items() if not name.endswith("*")}
        self._prefixes = [(name[:-1], value) for name, value in values.items() if name.endswith("*")]

    def get(self, name: str) -> _T | None:
        if (value := self._exact.get(name)) is not None:
            return value
        return next((value for prefix, value in self._prefixes if name.startswith(prefix)), None)


def ancestors(name: str | None, bases: Bases) -> Iterator[str]:
    """Yield a class and everything that it inherits from, each once, by their qualified names."""
    seen: set[str] = set()
    waiting = [name] if name else []
    while waiting:
        base = waiting.pop()
        if base not in seen:
            yield base
            seen.add(base)
            waiting += bases.get(base, ())


@functools.cache
def builtin_table() -> SinkTable:
    """Return the table without a project's configuration."""
    return SinkTable(FRAMEWORKS)


def table_of(config: Mapping[str, Any]) -> SinkTable:
    """Return the table with what `[[tool.plugport.lint.sinks]]` adds. Raises `ConfigurationError`."""
    own = configured(config)
    return SinkTable((*FRAMEWORKS, own)) if own is not None else builtin_table()
