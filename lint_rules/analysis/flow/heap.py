"""Says what is kept in a store: what of it is raw, and the classes of the objects that it may hold."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from ...tables.errors import ALWAYS_RAW, SAFE_ATTRIBUTES
from ...tables.python_calls import COPIES, COUNTS, QUERIES, READS
from .facts import Facts, FunctionFacts, Item, families
from .shared_values import names_class, shared_place
from .sink_table import ancestors
from .values import (
    ANY,
    DEEPEST_PART,
    ELEMENT,
    ERROR,
    EXCEPTION,
    FIELD,
    INSTANCE,
    MAYBE,
    PARAMETER,
    PROCESS,
    STORE,
    TEXT,
    same_key,
    split_name,
)

Parts = tuple[str, ...]
Step = tuple[str, int, str]
_Lead = tuple[Item | None, str, Parts]
"""An item with the parts that are asked of it, or (None) a place that keeps more."""
_MOST_PLACES = 60
"""Places that one question may lead to."""
_MOST_PARTS = 8
"""Parts that are asked of one place: an object that is kept in itself has places without end."""
_HANDED_ON = 6
"""Packages through which a name is handed on."""


@dataclass
class Heap:
    """Answers questions about the facts of a project, which must not change any more."""

    facts: Facts
    _raw: dict[tuple[str, str], tuple[Step, ...] | None] = field(default_factory=dict)
    _located: dict[str, tuple[str, Parts]] = field(default_factory=dict)
    _classes: dict[str, frozenset[str]] = field(default_factory=dict)
    _index: dict[tuple[str, int], dict[str, list[Item]]] = field(default_factory=dict)
    _leads: dict[tuple[str, Parts, bool], tuple[_Lead, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._families = families(self.facts.bases)

    def raw_steps(self, kind: str, name: str) -> tuple[Step, ...] | None:
        """Return the steps by which raw text gets into a store, or a field of an exception; None if none does."""
        key = (kind, name)
        if key not in self._raw:
            self._raw[key] = self._raw_field(name) if kind == FIELD else self._raw_store(name)
        return self._raw[key]

    def classes_of(self, store: str) -> frozenset[str]:
        """Return the project's classes of which the object in a store may be."""
        if store not in self._classes:
            self._classes[store] = self._find_classes(*self.located(store))
        return self._classes[store]

    def _find_classes(self, root: str, parts: Parts) -> frozenset[str]:
        if root in self.facts.bases and not parts:
            return frozenset({root})
        if root not in self.facts.heap and root not in self.facts.bases and not root.endswith("()"):
            return frozenset()
        return frozenset(
            item.name for item, rest in self._reach(root, parts, is_exact=True) if item.kind == INSTANCE and not rest
        )

    def located(self, store: str) -> tuple[str, Parts]:
        """Return root and parts of a store as the project knows it: its name may be one that a package hands on, and
        hold parts behind dots (`app.jobs.store.get()`)."""
        if store not in self._located:
            root, *parts = store.split("#")
            self._located[store] = self._locate(root, tuple(parts))
        return self._located[store]

    def shortened(self, store: str, parts: int) -> list[str]:
        """Return a store by names to which so many parts can be added: they begin at the first object on the way that
        is near enough, by its class."""
        root, *own = store.split("#")
        for count in range(max(1, len(own) + parts - DEEPEST_PART), len(own) + 1):
            if kinds := self.classes_of("#".join((root, *own[:count]))):
                return ["#".join((kind, *own[count:])) for kind in sorted(kinds)]
        return [store]

    def functions_of(self, root: str, parts: Parts) -> Iterator[tuple[str, FunctionFacts]]:
        """Yield the functions that a call stands for (`store#put()`), each with the class of its object."""
        if not parts:
            function = self.facts.functions.get(root.removesuffix("()"))
            if function is not None:
                yield root.removesuffix("()").rpartition(".")[0], function
            return
        method = parts[-1].removesuffix("()").rstrip(":")
        for kind in sorted(self.classes_of("#".join((root, *parts[:-1])))):
            if (definition := self.facts.method(kind, method)) is not None:
                yield kind, definition

    def settled(self, root: str, path: Parts) -> tuple[tuple[str, Parts], ...]:
        """Return the stores that hold what is put at a path of a store: the results of functions stand for others."""
        return tuple(dict.fromkeys(self._settled(root, path, set(), 0)))

    def _settled(
        self, root: str, path: Parts, seen: set[tuple[str, Parts]], depth: int
    ) -> Iterator[tuple[str, Parts]]:
        root, own = self.located(root)
        root, parts = self._shared(root, (*own, *path))
        if depth > _HANDED_ON or (root, parts) in seen:
            return
        seen.add((root, parts))
        if root in self.facts.bases and self.facts.is_row(root):
            while parts and _gives_rows(parts[0]):
                parts = parts[1:]
            yield root, parts
        elif root.endswith("()"):
            for kind, function in self.functions_of(root, ()):
                yield from self._settled_result(kind, function, parts, seen, depth)
        elif any(part.endswith("()") for part in parts):
            yield from self._settled_call(root, parts, seen, depth)
        elif (kinds := self.classes_of(root)) and parts:
            yield from ((kind, parts) for kind in sorted(kinds))
        else:
            yield root, parts
            for item in self.facts.heap.get(root, ()):
                if item.kind == STORE and not item.path and item.name != root:
                    yield from self._settled(item.name, parts, seen, depth + 1)

    def _settled_call(
        self, root: str, parts: Parts, seen: set[tuple[str, Parts]], depth: int
    ) -> Iterator[tuple[str, Parts]]:
        """Settle what is put into the result of a method of what a store holds."""
        index = next(index for index, part in enumerate(parts) if part.endswith("()"))
        functions = list(self.functions_of(root, parts[: index + 1]))
        for kind, function in functions:
            yield from self._settled_result(kind, function, parts[index + 1 :], seen, depth)
        if not functions and parts[index].removesuffix("()") in READS:
            yield from self._settled(root, (*parts[:index], ANY, *parts[index + 1 :]), seen, depth + 1)

    def _settled_result(
        self, kind: str, function: FunctionFacts, rest: Parts, seen: set[tuple[str, Parts]], depth: int
    ) -> Iterator[tuple[str, Parts]]:
        for item in function.result:
            if item.path:
                continue
            if item.kind == STORE:
                yield from self._settled(item.name, rest, seen, depth + 1)
            elif item.kind == INSTANCE:
                yield item.name, rest
            elif item.kind == PARAMETER and split_name(item.name)[0] == "self":
                held = tuple(part.strip("[]") for part in split_name(item.name)[2])
                yield from self._settled(kind, (*held, *rest), seen, depth + 1)

    def is_known(self, root: str) -> bool:
        """Return whether anything is kept under a name, or under names that start with it."""
        place, _ = self.located(root)
        return place in self.facts.heap or place in self.facts.bases or root in self._prefixes()

    def _prefixes(self) -> frozenset[str]:
        if not hasattr(self, "_every_prefix"):
            self._every_prefix = frozenset(
                root.rpartition(".")[0] for root in (*self.facts.heap, *self.facts.functions) if "." in root
            )
        return self._every_prefix

    def _shared(self, root: str, parts: Parts) -> tuple[str, Parts]:
        facts = self.facts
        is_own = root in facts.bases or root in facts.aliases or root.partition(".")[0] in self._packages
        return (root, parts) if is_own else shared_place(root, parts)

    @functools.cached_property
    def _packages(self) -> frozenset[str]:
        """The packages in which the project's classes and functions are."""
        facts = self.facts
        return frozenset(name.partition(".")[0] for name in (*facts.bases, *facts.functions) if "." in name)

    def _locate(self, root: str, parts: Parts) -> tuple[str, Parts]:
        facts = self.facts
        root, parts = self._shared(root, parts)
        name, more = root, parts
        for _ in range(_HANDED_ON):
            plain = name.removesuffix("()")
            plain = facts.aliases.get(plain, plain)
            if plain in facts.bases or plain in facts.functions or plain in facts.heap:
                is_call = name.endswith("()") and plain not in facts.bases
                return (f"{plain}()" if is_call and plain in facts.functions else plain), more
            head, _, last = name.rpartition(".")
            if not head:
                break
            name, more = head, (last, *more)
        for count in range(1, min(len(parts), 2) + 1):
            longer = ".".join((root, *parts[:count]))
            plain = longer.removesuffix("()")
            plain = facts.aliases.get(plain, plain)
            if plain in facts.heap or plain in facts.bases or plain in facts.functions:
                is_call = longer.endswith("()") and plain not in facts.bases
                return (f"{plain}()" if is_call and plain in facts.functions else plain), parts[count:]
        return root, parts

    def _raw_store(self, name: str) -> tuple[Step, ...] | None:
        root, parts = self.located(name)
        for item, rest in self._reach(root, parts):
            steps = self._raw_item(item, rest)
            if steps is not None:  # the order of what is kept is that of the files, and of the code in them
                return steps
        return None

    def _raw_item(self, item: Item, rest: Parts) -> tuple[Step, ...] | None:
        """Return the steps of an item that is raw, of which the parts `rest` are asked."""
        own: tuple[Step, ...] = ((item.file, item.line, item.text),) if item.line else ()
        if rest and rest[0] in SAFE_ATTRIBUTES:
            return None
        if item.kind in {ERROR, MAYBE}:
            return own
        if item.kind == PROCESS:
            return own if rest[:1] == ("stderr",) else None
        if item.kind == EXCEPTION and not item.name:
            return own
        if item.kind in {FIELD, EXCEPTION}:
            asked = rest[0] if rest and not rest[0].endswith("()") else TEXT
            further = self.raw_steps(FIELD, item.name if item.kind == FIELD else f"{item.name}#{asked}")
            return None if further is None else (*own, *further)
        return None

    def _raw_field(self, name: str) -> tuple[Step, ...] | None:
        self._raw[(FIELD, name)] = None  # a field that is filled from itself
        written, _, attribute = name.partition("#")
        kind, facts = self.facts.aliases.get(written, written), self.facts
        is_own = kind in facts.bases
        if is_own and attribute == "args":
            attribute = TEXT  # what the class is raised with
        if attribute in ALWAYS_RAW or not (is_own or facts.is_authored_attribute(kind, attribute)):
            return ()
        steps = self._raw_store(f"{kind}#{attribute}") if is_own else self._raw_of_heirs(kind, attribute)
        if steps is None and is_own and facts.method(kind, attribute) is not None:
            steps = self._raw_store(f"{kind}#{attribute}()")
        if steps is not None:
            return steps
        if attribute == TEXT and not self._has_known_text(kind):
            return ()
        return None

    def _raw_of_heirs(self, kind: str, attribute: str) -> tuple[Step, ...] | None:
        of_heirs = (self._raw_store(f"{heir}#{attribute}") for heir in sorted(self._families.get(kind, ())))
        return next((steps for steps in of_heirs if steps is not None), None)

    def _has_known_text(self, kind: str) -> bool:
        """Return whether the project says what the text of its exception class is: by a method, or by a raise."""
        own = {base for base in ancestors(kind, self.facts.bases) if base in self.facts.bases}
        return any(
            f"{base}.{name}" in self.facts.functions for base in own for name in ("__init__", "__str__")
        ) or not self.facts.made.isdisjoint(self._families.get(kind, ()))

    def _items(self, root: str, parts: Parts, is_exact: bool) -> Iterable[Item]:
        """Return what is kept in a store at parts that start with these, or may be meant by them; if `is_exact`, only
        other stores and objects, no deeper than the parts."""
        key = (root, len(parts) if is_exact else -1)
        if key not in self._index:
            index: dict[str, list[Item]] = {}
            different: dict[tuple[str, str, Parts], Item] = {}
            for item in self._every_item(root):
                different.setdefault(item[:3], item)
            for item in different.values():
                if not is_exact or (item.kind in {STORE, INSTANCE} and len(item.path) <= len(parts)):
                    index.setdefault(item.path[0] if item.path else "", []).append(item)
            self._index[key] = index
        index = self._index[key]
        first = parts[0] if parts else ANY
        if first.endswith("()"):
            method = first.removesuffix("()")
            if method not in COPIES and method not in READS:
                return index.get("", ())
            first = ANY
        if first == ANY:
            return chain.from_iterable(index.values())
        if first == ELEMENT or first.isdigit():
            return chain.from_iterable(items for key, items in index.items() if not key or same_key(key, first))
        return chain(index.get("", ()), index.get(first, ()), index.get(ANY, ()))

    def _every_item(self, root: str) -> Iterator[Item]:
        if root not in self.facts.bases:
            yield from self.facts.heap.get(root, ())
            for name in filter(names_class, self.facts.heap) if root.startswith(".") else ():
                places = ((item, *self._shared(name, item.path)) for item in self.facts.heap[name])
                yield from (item._replace(path=path) for item, place, path in places if place == root)
            return
        for heir in sorted(self._families.get(root, ())):
            yield from self.facts.heap.get(heir, ())
            yield from self.facts.heap.get(f"{heir}!", ())
        for base in ancestors(root, self.facts.bases):
            if base != root:
                yield from self.facts.heap.get(base, ())

    def _reach(self, root: str, parts: Parts, is_exact: bool = False) -> Iterator[tuple[Item, Parts]]:
        """Yield what is kept at a place or (unless `is_exact`) below it, with the parts asked of each item."""
        seen = {(root, parts)}
        stack = [iter(self._leads_to(root, parts, is_exact))]
        while stack:
            for item, place, rest in stack[-1]:
                if item is not None:
                    yield item, rest
                elif len(rest) <= _MOST_PARTS and (place, rest) not in seen and len(seen) <= _MOST_PLACES:
                    seen.add((place, rest))
                    stack.append(iter(self._leads_to(place, rest, is_exact)))
                    break
            else:
                stack.pop()

    def _leads_to(self, root: str, parts: Parts, is_exact: bool) -> tuple[_Lead, ...]:
        """Return what a place holds itself and, in the same order, the places where more of it is kept."""
        key = (root, parts, is_exact)
        if key not in self._leads:
            self._leads[key] = tuple(dict.fromkeys(self._find_leads(root, parts, is_exact)))
        return self._leads[key]

    def _find_leads(self, root: str, parts: Parts, is_exact: bool) -> Iterator[_Lead]:
        if root in self.facts.bases:
            if not parts:
                yield Item(INSTANCE, root, (), "", 0, ""), "", ()
            elif (function := self._called(root, parts[0])) is not None:
                yield from self._results(function, root, parts[1:], is_exact)
                return
            elif self.facts.is_row(root) and _gives_rows(parts[0]):
                yield None, root, parts[1:]
                return
        elif root.startswith("table:") and parts and _gives_rows(parts[0]):
            yield None, root, parts[1:]
        elif root.endswith("()"):
            function = self.facts.functions.get(root.removesuffix("()"))
            if function is not None:
                yield from self._results(function, root.removesuffix("()").rpartition(".")[0], parts, is_exact)
            return
        for item in self._items(root, parts, is_exact):
            yield from self._of_item(item, parts, is_exact)

    def _called(self, kind: str, part: str) -> FunctionFacts | None:
        """Return the method or the property of a class that a part stands for."""
        function = self.facts.method(kind, part.removesuffix("()").rstrip(":"))
        return function if function is not None and (part.endswith("()") or function.is_property) else None

    def _results(self, function: FunctionFacts, kind: str, parts: Parts, is_exact: bool) -> Iterator[_Lead]:
        for item in function.result:
            if item.kind == PARAMETER:
                name, _, own = split_name(item.name)
                if name != "self":
                    continue
                plain = "#".join((kind, *(part.strip("[]") for part in own)))
                yield from self._of_item(item._replace(kind=STORE, name=plain), parts, is_exact)
            else:
                yield from self._of_item(item, parts, is_exact)

    def _of_item(self, item: Item, parts: Parts, is_exact: bool) -> Iterator[_Lead]:
        rest = _rest(item.path, parts)
        if rest is None or (is_exact and len(item.path) > len(parts)):
            return
        if item.kind in {STORE, INSTANCE}:
            if any(key.startswith("_") for key in item.path[len(parts) :]):
                return  # another object, which a form of the whole does not show
            root, own = self.located(item.name)
            yield None, root, (*own, *rest)
        else:
            yield item, "", rest


def _gives_rows(part: str) -> bool:
    """Return whether a part of a class of rows stands for rows of it: a query, a method of one, an element."""
    if part in {*QUERIES, ANY, ELEMENT} or part.isdigit():
        return True
    return part.endswith("()") and part.removesuffix("()").rstrip(":") not in COUNTS


def _rest(path: Parts, parts: Parts) -> Parts | None:
    """Return what is asked of an item at a path if `parts` are asked of the whole; None if it is elsewhere."""
    if not path:
        return parts
    asked = list(parts)
    for key in path:
        while asked and asked[0].removesuffix("()") in COPIES and asked[0].endswith("()"):
            asked.pop(0)
        if not asked:
            return ()
        part = asked.pop(0)
        if part.endswith("()"):
            if part.removesuffix("()") not in READS:
                return None
            part = ANY
        if not same_key(key, part):
            return None
    return tuple(asked)
