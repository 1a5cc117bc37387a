"""What PP001 knows of one module, and what it tells the other modules of the project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from ...hookspecs import JSON
from ..engine.contract import SourceFile
from ..engine.imports import package_of
from ..tables.guarded_apis import CONSTANTS, ENGINE_LIBRARIES, KINDS, MAKERS, PATTERNS, Guard
from ..tables.kinds import Kind
from .guarded_uses import GuardedUses
from .values.bindings import ModuleBindings, Scope
from .values.evaluator import Evaluator
from .values.model import (
    NOTHING,
    PARTS,
    Class,
    Command,
    Double,
    Factory,
    Instance,
    Many,
    Method,
    Named,
    Own,
    Pair,
    ProjectFacts,
    Routine,
    Table,
    Value,
    decode,
    encode,
)
from .values.runs import summary_of

_KEY = "PP001"
_ENGINES = re.compile("docker|podman|nerdctl|containers|inspect")
_LONGEST = 300
"""Characters of a constant that can be a part of a command."""
_ROUNDS = 8
"""Steps from one module to the next that are followed."""


@dataclass(frozen=True, slots=True)
class GuardedModule:
    """The scopes, the values and the uses of one module."""

    bindings: ModuleBindings
    evaluator: Evaluator
    uses: GuardedUses

    @classmethod
    def of(cls, file: SourceFile, guards: Sequence[Guard], linked: JSON) -> GuardedModule:
        """Read a module, with the facts of the project."""
        facts = _facts(linked)
        bindings = file.derived(f"{_KEY} bindings", lambda: ModuleBindings(file.tree(), package_of(file)))

        def make() -> GuardedModule:
            classes = {name.rpartition(".")[0] for guard in guards for name in guard.calls} - {""}
            kinds = {**KINDS, **{name: Kind(name) for name in classes}}
            makers = {**MAKERS, **{name: name for name in classes}}
            evaluator = Evaluator(bindings, file.module or "", kinds, makers, CONSTANTS, PATTERNS, facts)
            return cls(bindings, evaluator, GuardedUses(evaluator, file.tree(), guards))

        return file.derived(_KEY, make) if facts is NOTHING else make()


def _facts(linked: JSON) -> ProjectFacts:
    if not isinstance(linked, Mapping) or not any(linked.get(part) for part in PARTS):
        return NOTHING
    parts: Mapping[str, Any] = {part: linked.get(part) or {} for part in PARTS}
    return ProjectFacts(**parts)


def summary_of_module(file: SourceFile, guards: Sequence[Guard]) -> JSON:
    """Return what the other modules need to know of this one; None for nothing."""
    module = GuardedModule.of(file, guards, None)
    evaluator, scope = module.evaluator, module.bindings.module
    names: dict[str, JSON] = {}
    members: dict[str, JSON] = {}
    bases: dict[str, JSON] = {}
    for name in (*scope.bound, *scope.functions, *scope.imports):
        value = evaluator.held(scope, name)
        if (alias := _alias(evaluator, scope, name)) is not None:
            value = Factory(alias)
        _put(names, f"{file.module}.{name}", _exported(evaluator, value))
    for name, inner in scope.classes.items():
        dotted = evaluator.class_name(inner)
        names[f"{file.module}.{name}"] = encode(Class(dotted))
        known = _members(evaluator, inner)
        if known:
            members[dotted] = known
        encoded = [encode(base) for base in evaluator.bases(dotted)]
        if any(encoded):
            bases[dotted] = encoded
    summary: dict[str, JSON] = {
        "names": names,
        "members": members,
        "bases": bases,
        "state": _written(evaluator),
        "items": _items(evaluator),
        "fixtures": _fixtures(evaluator, scope),
        "runners": _runners(module, file.module or ""),
        "passed": _passed(evaluator),
        "texts": _texts(module, file.module or ""),
        "stars": {f"{file.module}": list(scope.stars)} if scope.stars else {},
    }
    return summary if any(summary.values()) else None


def _alias(evaluator: Evaluator, scope: Scope, name: str) -> Value | None:
    """Return what a value is that is annotated by a name, if that is an alias of a type."""
    for binding in scope.bound.get(name, ()):
        if isinstance(binding.value, cst.Subscript | cst.BinaryOperation) and not binding.steps:
            return evaluator.annotations.value(binding.value, scope)
    return None


def _exported(evaluator: Evaluator, value: Value | None) -> JSON:
    if isinstance(value, Double):
        return None
    if isinstance(value, Routine):
        result = evaluator.calls.of_value(value)
        return encode(Factory(result)) if result is not None else None
    return encode(value)


def _put(table: dict[str, JSON], name: str, value: JSON) -> None:
    if value is not None:
        table[name] = value


def _members(evaluator: Evaluator, scope: Scope) -> dict[str, JSON]:
    members: dict[str, JSON] = {}
    names = {*scope.bound, *scope.annotations, *scope.functions, *scope.grown}
    for name in sorted(name.removeprefix("self.") for name in names):
        _put(members, name, _exported(evaluator, evaluator.member(evaluator.class_name(scope), name)))
    return members


def _written(evaluator: Evaluator) -> dict[str, JSON]:
    """Return what is kept under an attribute of an application's state."""
    state: dict[str, JSON] = {}
    for name, writes in evaluator.bindings.written.items():
        for _, binding in writes:
            _put(state, name, _exported(evaluator, evaluator.binding(binding)))
    return state


def _items(evaluator: Evaluator) -> dict[str, JSON]:
    items: dict[str, JSON] = {}
    for key, bindings in evaluator.bindings.items.items():
        for binding in bindings:
            _put(items, key, _exported(evaluator, evaluator.binding(binding)))
    return items


def _passed(evaluator: Evaluator) -> dict[str, JSON]:
    """Return what the module's calls pass to functions of other modules of the project, by position or name."""
    passed: dict[str, dict[str, JSON]] = {}
    for call, scope in evaluator.bindings.calls:
        target = evaluator.value(call.func, scope) if call.args else None
        if not isinstance(target, Named) or target.steps or evaluator.kind_of(target.name) is not None:
            continue
        for index, item in enumerate(call.args):
            value = evaluator.value(item.value, scope) if not item.star else None
            if isinstance(value, Instance | Own | Many | Table):
                key = item.keyword.value if item.keyword is not None else str(index)
                _put(passed.setdefault(target.name, {}), key, encode(value))
    return {name: values for name, values in passed.items() if values}


def _texts(module: GuardedModule, name: str) -> dict[str, JSON]:
    """Return the constants of the module that are a part of a command or a route of an engine."""
    texts: dict[str, JSON] = {}
    scope, reader = module.bindings.module, module.evaluator.texts
    for bound in scope.bound:
        node = cst.Name(bound)
        lists, values = reader.words(node, scope), reader.texts(node, scope)
        constant: JSON = list(lists[0]) if lists else values[0] if values else None
        if constant is not None and len(str(constant)) < _LONGEST and _ENGINES.search(str(constant)) is not None:
            texts[f"{name}.{bound}"] = constant
    return texts


def _fixtures(evaluator: Evaluator, scope: Scope) -> dict[str, JSON]:
    fixtures: dict[str, JSON] = {}
    for name, function in scope.functions.items():
        if evaluator.calls.is_fixture(function):
            result = evaluator.calls.of_value(Routine(function.scope, function))
            item = result.item if isinstance(result, Many) and not result.is_manager else result
            _put(fixtures, name, _exported(evaluator, item))
    return fixtures


def _runners(module: GuardedModule, name: str) -> dict[str, JSON]:
    runners: dict[str, JSON] = {}
    for function in module.bindings.functions:
        effects = module.uses.runs.of_routine(Routine(function.scope, function))
        _put(runners, f"{name}.{function.name}", summary_of(function, effects))
    return runners


def link(summaries: Mapping[str, JSON]) -> JSON:
    """Merge the summaries, and leave out what comes to nothing that matters."""
    linked: dict[str, dict[str, JSON]] = {part: {} for part in PARTS}
    stars: list[tuple[str, str]] = []
    for _, summary in sorted(summaries.items()):
        if isinstance(summary, Mapping):
            for part, table in linked.items():
                facts = summary.get(part)
                for name, data in facts.items() if isinstance(facts, Mapping) else ():
                    table[name] = _merged(table.get(name), data)
    for module, sources in linked["stars"].items():
        if isinstance(sources, Sequence):
            stars += [(module, str(source)) for source in sources]
    for _ in range(_ROUNDS):
        _hand_on(linked["names"], stars)
    return _pruned(linked)


def _merged(old: JSON, new: JSON) -> JSON:
    """Return what two modules say of one name: both, or what says more than the library that it comes from."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**new, **{key: _merged(new.get(key), value) for key, value in old.items()}}
    return new if old is None or isinstance(decode(old), Named) else old


def _hand_on(names: dict[str, JSON], stars: list[tuple[str, str]]) -> None:
    """Give a module the names of those that it imports by `*`."""
    for module, source in stars:
        for name in [name for name in names if name.rpartition(".")[0] == source]:
            names.setdefault(f"{module}.{name.rpartition('.')[2]}", ["named", name])


def _pruned(linked: dict[str, dict[str, JSON]]) -> JSON:
    """Leave out what leads to no value of a kind and to no function that runs commands of engines."""
    special = {name for name, runner in linked["runners"].items() if is_special(runner)}
    good = {name.rpartition(".")[0] for name in special} | special
    while True:
        size = len(good)
        good |= {name for name, data in linked["names"].items() if _matters(decode(data), good)}
        for part in ("members", "bases"):
            good |= {name for name, _ in _inner(linked[part], good)}
        if len(good) == size:
            break
    for part in ("names", "state", "items", "fixtures"):
        linked[part] = {name: data for name, data in linked[part].items() if _matters(decode(data), good)}
    for part in ("members", "bases", "passed"):
        linked[part] = dict(_inner(linked[part], good))
    linked["stars"] = {name: data for name, data in linked["stars"].items() if _takes_from_engines(data)}
    return linked


def _takes_from_engines(sources: JSON) -> bool:
    return isinstance(sources, Sequence) and any(str(s).partition(".")[0] in ENGINE_LIBRARIES for s in sources)


def _inner(table: Mapping[str, JSON], good: set[str]) -> Iterator[tuple[str, JSON]]:
    for name, data in table.items():
        kept: JSON = None
        if isinstance(data, Mapping):
            kept = {key: value for key, value in data.items() if _matters(decode(value), good)}
        elif isinstance(data, Sequence) and not isinstance(data, str):
            kept = [value for value in data if _matters(decode(value), good)]
        if kept:
            yield name, kept


def _matters(value: Value | None, good: set[str]) -> bool:
    """Return whether a value is of a kind, or comes of a name of the project that leads to one."""
    match value:
        case Instance() | Method() | Command():
            return True
        case Named(name):
            parts = name.split(".")
            return any(".".join(parts[:end]) in good for end in range(len(parts), 0, -1))
        case Class(name) | Own(name):
            return name in good
        case Many(inner) | Table(inner) | Factory(inner):
            return _matters(inner, good)
        case Pair(sides):
            return any(_matters(side, good) for side in sides)
    return False


def is_special(runner: JSON) -> bool:
    """Return whether a function runs a program for engines, or requests a route of one: a file that calls it need not
    name either."""
    return (
        isinstance(runner, Mapping) and _ENGINES.search(str([runner.get("runs"), runner.get("routes")])) is not None
    )


class NamesOfProject:
    """The names of a project that are a client, lead to one, or run commands: by them a file is chosen that names no
    engine itself. `from app.engine import start` names `engine` and `start`."""

    def __init__(self, linked: JSON) -> None:
        by_module: dict[str, set[str]] = {}
        words: set[str] = set()
        for part, table in linked.items() if isinstance(linked, Mapping) else ():
            names = table if isinstance(table, Mapping) else {}
            if part in {"names", "passed", "texts"}:
                for name in names:
                    _add(by_module, name)
            elif part == "runners":
                for name in names:
                    if is_special(names[name]):
                        _add(by_module, name)
            elif part in {"state", "items", "fixtures"}:
                words |= set(names)
        self._by_module = [(module.encode(), _pattern(names)) for module, names in sorted(by_module.items())]
        self._words = _pattern(words) if words else None

    def are_in(self, data: bytes) -> bool:
        """Return whether a file may use one of them."""
        if self._words is not None and self._words.search(data) is not None:
            return True
        return any(module in data and pattern.search(data) is not None for module, pattern in self._by_module)


def _add(by_module: dict[str, set[str]], dotted: str) -> None:
    module, _, name = dotted.rpartition(".")
    by_module.setdefault(module.rpartition(".")[2], set()).add(name)


def _pattern(names: Iterable[str]) -> re.Pattern[bytes]:
    return re.compile(rb"\b(?:" + b"|".join(re.escape(name.encode()) for name in sorted(names)) + rb")\b")
