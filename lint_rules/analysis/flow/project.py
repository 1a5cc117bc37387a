"""Puts the summaries of all modules together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from typing import Any

from .attributes import instantiated
from .facts import Facts, FunctionFacts, Item
from .heap import Heap
from .module import is_error_class
from .sink_table import SinkTable, ancestors
from .values import ELEMENT, FIELD, INSTANCE, PARAMETER, STORE, TEXT, Origin, at

_LONGEST_CHAIN = 4
"""Packages through which a name is handed on."""


def link(summaries: Mapping[str, Any], table: SinkTable) -> Facts:
    """Return the facts of the project: what can lead to raw text, and nothing else."""
    facts = Facts()
    for summary in summaries.values():
        facts.add_json(summary)
    _resolve_aliases(facts)
    facts.bases = table.with_mixins(facts.bases)
    facts.made &= facts.bases.keys()
    before = Heap(replace(facts))
    facts.heap = {root: [] for root in facts.heap}
    for root, items in before.facts.heap.items():
        for item in items:
            for settled, path in before.settled(root, item.path):
                _keep(facts, settled, item._replace(path=path))
    heap = Heap(facts)
    for summary in summaries.values():
        for callee, parameter, item in summary["passed"]:
            _pass_on(heap, callee, parameter, Item.from_json(item))
    _prune(Heap(facts))
    facts.clean_files = frozenset(_clean_files(Heap(facts), summaries, table))
    return facts


def _resolve_aliases(facts: Facts) -> None:
    """Know what a package offers of its modules by both names: a function twice, a class as a class of its own that
    inherits from the other, what is kept under either at one place."""
    stars = [(alias, target) for alias, target in facts.aliases.items() if target.endswith(".*")]
    for alias, target in stars:
        package, module = alias.removesuffix("*"), target.removesuffix("*")
        for name in [known for known in (*facts.bases, *facts.functions, *facts.heap) if known.startswith(module)]:
            if "." not in (last := name.removeprefix(module)):
                facts.aliases.setdefault(package + last, name)
    defined = facts.bases.keys() | facts.functions.keys()
    targets = {
        alias: _definition_of(facts.aliases, defined, alias) for alias in facts.aliases if alias not in defined
    }
    used = defined | facts.heap.keys()
    facts.aliases = {alias: target for alias, target in targets.items() if not used.isdisjoint({alias, target})}
    for alias, target in facts.aliases.items():
        if alias in facts.heap:
            facts.heap.setdefault(target, []).extend(facts.heap.pop(alias))
        if target in facts.bases:
            facts.bases[alias] = (target,)
        elif target in facts.functions:
            facts.functions[alias] = facts.functions[target]
        if alias in facts.handlers:
            facts.handlers.setdefault(target, facts.handlers[alias])


def _definition_of(aliases: Mapping[str, str], defined: Set[str], name: str) -> str:
    """Return what a name stands for, through the packages that hand it on; something may be kept under each name."""
    for _ in range(_LONGEST_CHAIN):
        if name in defined or name not in aliases:
            break
        name = aliases[name]
    return name


def _pass_on(heap: Heap, callee: str, parameter: str, item: Item) -> None:
    """Do what a call does with one argument, now that it is known what is called."""
    facts = heap.facts
    root, parts = heap.located(callee)
    if root in facts.bases and not parts:
        _fill(heap, root, parameter, item)
        return
    for owner, function in heap.functions_of(root, parts):
        _affect(heap, function, owner, parameter, item)


def _fill(heap: Heap, kind: str, parameter: str, item: Item) -> None:
    """Note that a call of a class fills what its `__init__` fills."""
    facts = heap.facts
    is_error = is_error_class(kind, facts.bases)
    if is_error:
        facts.made |= {kind}
    if not is_error and not facts.is_row(kind):
        return
    init = facts.method(kind, "__init__")
    if init is not None:
        _affect(heap, init, f"{kind}!", parameter, item)
        return
    fields = facts.fields_of(kind)
    name, path = _bound(FunctionFacts("", fields), parameter)
    if name in fields:
        facts.heap.setdefault(f"{kind}!", []).append(item._replace(path=(name, *path, *item.path)))
    if is_error:
        facts.heap.setdefault(f"{kind}!", []).append(item._replace(path=(TEXT,)))


def _affect(heap: Heap, function: FunctionFacts, owner: str, parameter: str, item: Item) -> None:
    """Do what a function does with one argument; `owner` is the store that `self` is."""
    facts = heap.facts
    name, path = _bound(function, parameter)
    value = at(frozenset({Origin(item.kind, item.name, 0, (), item.path)}), *path)
    for effect in function.effects:
        if effect.item.kind != PARAMETER:
            continue
        target, *parts = effect.target.split("#")
        if effect.kind == PARAMETER and target == "self":
            target = owner
        elif effect.kind == PARAMETER:
            continue
        own = tuple(part.strip("[]") for part in parts)
        for origin in instantiated(effect.item.name, {name: value}, facts):
            for root, at_root in heap.settled(target, (*own, *effect.item.path, *origin.path)):
                _keep(facts, root, item._replace(kind=origin.kind, name=origin.name, path=at_root))


def _keep(facts: Facts, root: str, item: Item) -> None:
    """Note what is kept in a store. An object takes in what another is (`update`) only if it is a container."""
    is_alias = item.kind in {STORE, INSTANCE} and not item.path
    if is_alias and root in facts.bases and not facts.is_container(root):
        return
    facts.heap.setdefault(root, []).append(item)


def _bound(function: FunctionFacts, parameter: str) -> tuple[str, tuple[str, ...]]:
    """Return which parameter an argument fills, and at which path."""
    if parameter.startswith("#"):
        index = int(parameter[1:])
        names = function.parameters
        return (names[index], ()) if index < len(names) else (function.star, (ELEMENT,))
    if parameter.startswith("*"):
        return (function.rest, ()) if parameter == "**" else (function.star, ())
    return (parameter, ()) if parameter in function.parameters else (function.rest, (parameter,))


def _prune(heap: Heap) -> None:
    """Forget what leads to nothing raw."""
    facts = heap.facts
    active = {name.rpartition(".")[0] for name, function in facts.functions.items() if function.does_something}
    active |= {root.removesuffix("!") for root in facts.heap}

    def leads(item: Item) -> bool:
        if item.kind == FIELD:
            return heap.raw_steps(FIELD, item.name) is not None
        if item.kind == STORE:
            return heap.raw_steps(STORE, item.name) is not None or not active.isdisjoint(heap.classes_of(item.name))
        return item.kind != INSTANCE or item.name in active

    functions = {
        name: replace(
            function,
            result=tuple(filter(leads, function.result)),
            effects=tuple(effect for effect in function.effects if effect.kind == PARAMETER and leads(effect.item)),
        )
        for name, function in facts.functions.items()
    }
    kept = {root: [item for item in dict.fromkeys(items) if leads(item)] for root, items in facts.heap.items()}
    facts.functions, facts.heap = functions, {root: items for root, items in kept.items() if items}


def _clean_files(heap: Heap, summaries: Mapping[str, Any], table: SinkTable) -> Iterator[str]:
    """Yield the files that cannot have a finding: nothing raw reaches a sink, as far as they say it themselves, and
    none of the project's functions that they call can change that."""
    facts = heap.facts
    answering = facts.routes | facts.handlers.keys()
    changing = {
        name
        for name, function in facts.functions.items()
        if any(effect.item.kind != PARAMETER for effect in function.effects)
    }
    for path, summary in summaries.items():
        if (
            any(_is_raw(heap, kind, name) for kind, name in summary["sent"])
            or not answering.isdisjoint(summary["own"])
            or not changing.isdisjoint(summary["calls"])
            or any(_does_something(heap, callee, item, table) for callee, _, item in summary["passed"])
            or any(_is_view(name, facts, table) for name in summary["own"])
        ):
            continue
        yield path


def _is_raw(heap: Heap, kind: str, name: str) -> bool:
    return kind not in {FIELD, STORE} or heap.raw_steps(kind, name) is not None


def _does_something(heap: Heap, callee: str, item: Any, table: SinkTable) -> bool:
    """Return whether what is called may send what is passed to it, or hand it back."""
    kind, name, *_ = item
    facts = heap.facts
    if not _is_raw(heap, kind, name):
        return False
    root, parts = heap.located(callee)
    if root in facts.bases and not parts:
        return not is_error_class(root, facts.bases) or table.sends(root, facts.bases) is not None
    functions = list(heap.functions_of(root, parts))
    if functions or not parts:
        return any(function.does_something for _, function in functions)
    kinds = {root} if root in facts.bases else heap.classes_of("#".join((root, *parts[:-1])))
    return any(base not in facts.bases for owner in kinds for base in ancestors(owner, facts.bases))


def _is_view(name: str, facts: Facts, table: SinkTable) -> bool:
    """Return whether it is a method whose result is sent."""
    kind, _, method = name.rpartition(".")
    function = facts.functions.get(name)
    return (
        method in table.view_methods
        and function is not None
        and bool(function.result)
        and table.is_view(kind, method, facts.bases)
    )
