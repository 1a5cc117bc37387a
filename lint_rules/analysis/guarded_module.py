"""What PP001 knows of one module, and what it tells the other modules of the project."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...hookspecs import JSON
from ..engine.contract import SourceFile
from ..engine.imports import package_of
from ..tables.guarded_apis import CONSTANTS, KINDS, MAKERS, PATTERNS, Guard
from ..tables.kinds import Kind
from .guarded_uses import GuardedUses
from .values.bindings import ModuleBindings, Scope
from .values.evaluator import Evaluator
from .values.model import (
    NOTHING,
    PARTS,
    Class,
    Double,
    Factory,
    Many,
    Named,
    ProjectFacts,
    Routine,
    Value,
    decode,
    encode,
)
from .values.runs import summary_of

_KEY = "PP001"
_ENGINES = re.compile("docker|podman|nerdctl|containers")
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
    return ProjectFacts(**{part: linked.get(part) or {} for part in PARTS})  # type: ignore[arg-type]


def summary_of_module(file: SourceFile, guards: Sequence[Guard]) -> JSON:
    """Return what the other modules need to know of this one; None for nothing."""
    module = GuardedModule.of(file, guards, None)
    evaluator, scope = module.evaluator, module.bindings.module
    names: dict[str, JSON] = {}
    members: dict[str, JSON] = {}
    bases: dict[str, JSON] = {}
    for name in (*scope.bound, *scope.functions, *scope.imports):
        _put(names, f"{file.module}.{name}", _exported(evaluator, evaluator.held(scope, name)))
    for name, inner in scope.classes.items():
        dotted = evaluator.class_name(inner)
        names[f"{file.module}.{name}"] = encode(Class(dotted))
        known = _members(evaluator, inner)
        if known:
            members[dotted] = known
        encoded = [encode(base) for base in evaluator.bases(dotted)]
        if any(encoded):
            bases[dotted] = encoded
    summary = {
        "names": names,
        "members": members,
        "bases": bases,
        "state": _written(evaluator),
        "items": _items(evaluator),
        "fixtures": _fixtures(evaluator, scope),
        "runners": _runners(module, file.module or ""),
        "stars": [[f"{file.module}", star] for star in scope.stars],
    }
    return summary if any(summary.values()) else None


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
                table.update(facts if isinstance(facts, Mapping) else {})
            pairs = summary.get("stars")
            pairs = pairs if isinstance(pairs, Sequence) else ()
            stars += [(str(pair[0]), str(pair[1])) for pair in pairs if isinstance(pair, Sequence)]
    for _ in range(_ROUNDS):
        _hand_on(linked["names"], stars)
    return _pruned(linked)


def _hand_on(names: dict[str, JSON], stars: list[tuple[str, str]]) -> None:
    """Give a module the names of those that it imports by `*`."""
    for module, source in stars:
        for name in [name for name in names if name.rpartition(".")[0] == source]:
            names.setdefault(f"{module}.{name.rpartition('.')[2]}", ["named", name])


def _pruned(linked: dict[str, dict[str, JSON]]) -> JSON:
    """Leave out the names of the project that lead to no value of a kind and to no class that holds one."""
    while True:
        special = {name for name, runner in linked["runners"].items() if is_special(runner)}
        known = {*linked["names"], *linked["members"], *linked["bases"], *special}
        classes = {*linked["members"], *linked["bases"]}
        size = sum(map(len, linked.values()))
        for part in ("names", "state", "items", "fixtures"):
            linked[part] = {
                name: data for name, data in linked[part].items() if _matters(decode(data), known, classes)
            }
        for part in ("members", "bases"):
            linked[part] = dict(_inner(linked[part], known, classes))
        if sum(map(len, linked.values())) == size:
            return linked


def _inner(table: dict[str, JSON], known: set[str], classes: set[str]) -> Iterator[tuple[str, JSON]]:
    for name, data in table.items():
        if isinstance(data, Mapping):
            kept: JSON = {key: value for key, value in data.items() if _matters(decode(value), known, classes)}
        elif isinstance(data, Sequence) and not isinstance(data, str):
            kept = [value for value in data if _matters(decode(value), known, classes)]
        else:
            kept = None
        if kept:
            yield name, kept


def _matters(value: Value | None, known: set[str], classes: set[str]) -> bool:
    match value:
        case None:
            return False
        case Named(name):
            parts = name.split(".")
            return any(".".join(parts[:end]) in known for end in range(len(parts), 0, -1))
        case Class(name):
            return name in known and (name in classes or _has_method(name, known))
        case _ if hasattr(value, "item"):
            return _matters(value.item, known, classes)
        case _ if hasattr(value, "value"):
            return _matters(value.value, known, classes)
        case _ if hasattr(value, "result"):
            return _matters(value.result, known, classes)
        case _ if hasattr(value, "parts"):
            return any(_matters(part, known, classes) for part in value.parts)
        case _ if hasattr(value, "name") and not hasattr(value, "kind"):
            return value.name in classes or _has_method(value.name, known)
    return True


def is_special(runner: JSON) -> bool:
    """Return whether a function runs a program for engines, or requests a route of one: a file that calls it need not
    name either."""
    return (
        isinstance(runner, Mapping) and _ENGINES.search(str([runner.get("runs"), runner.get("routes")])) is not None
    )


def _has_method(name: str, known: set[str]) -> bool:
    return any(other.startswith(f"{name}.") for other in known)


def read_by_names(file: SourceFile, linked: JSON) -> bool:
    """Return whether the file names something of the project that matters: a module and a name in it, an attribute
    of an application's state, a fixture."""
    if not isinstance(linked, Mapping):
        return False
    pattern = _pattern(linked)
    return pattern is not None and pattern.search(file.data) is not None


def _pattern(linked: Mapping[str, JSON]) -> re.Pattern[bytes] | None:
    words: set[str] = set()
    for part in ("names", "state", "items", "fixtures", "runners"):
        table = linked.get(part)
        if isinstance(table, Mapping):
            words |= {name.rpartition(".")[2] for name in table if part != "runners" or is_special(table[name])}
    texts = sorted(word for word in words if word)
    if not texts:
        return None
    return re.compile(rb"\b(?:" + b"|".join(re.escape(text.encode()) for text in texts) + rb")\b")
