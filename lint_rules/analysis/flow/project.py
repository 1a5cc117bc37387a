"""Puts the summaries of all modules together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from .facts import Facts
from .module import is_error_class
from .sink_table import SinkTable

_LONGEST_CHAIN = 4
"""Packages through which a name is handed on."""
_DEEPEST_CLASS = 8

_Classes = Mapping[str, tuple[list[str], dict[str, str]]]


def link(summaries: Mapping[str, Any], table: SinkTable) -> Facts:
    """Return the facts of the project, with the attributes that each raise site fills."""
    facts = Facts()
    classes: dict[str, tuple[list[str], dict[str, str]]] = {}
    for summary in summaries.values():
        facts.add_json(summary)
        classes |= {name: (parameters, filled_by) for name, (parameters, filled_by) in summary["classes"].items()}
    _resolve_aliases(facts)
    waiting = [fill for summary in summaries.values() for fill in summary["fills"]]
    while ready := [fill for fill in waiting if not fill[4] or not facts.is_safe(fill[4])]:
        waiting = [fill for fill in waiting if fill[4] and facts.is_safe(fill[4])]
        for kind, parameter, path, line, _ in ready:  # each may make another's text raw
            _fill(facts, classes, facts.aliases.get(kind, kind), parameter, (path, line))
    for function in facts.functions.values():
        if function.conditions and all(map(facts.is_safe, function.conditions)):
            function.error = None
    facts.clean_files = frozenset(_clean_files(facts, summaries, table))
    return facts


def _resolve_aliases(facts: Facts) -> None:
    """Know what a package offers of its modules by both names: a function twice, a class as a class of its own that
    inherits from the other."""
    stars = [(alias, target) for alias, target in facts.aliases.items() if target.endswith(".*")]
    for alias, target in stars:
        package, module = alias.removesuffix("*"), target.removesuffix("*")
        for name in [known for known in (*facts.bases, *facts.functions) if known.startswith(module)]:
            if "." not in (last := name.removeprefix(module)):
                facts.aliases.setdefault(package + last, name)
    defined = facts.bases.keys() | facts.functions.keys()
    targets = {
        alias: _definition_of(facts.aliases, defined, alias) for alias in facts.aliases if alias not in defined
    }
    facts.aliases = {alias: target for alias, target in targets.items() if target in defined}
    for alias, target in facts.aliases.items():
        if target in facts.bases:
            facts.bases[alias] = (target,)
        else:
            facts.functions[alias] = facts.functions[target]
        if alias in facts.handlers:
            facts.handlers.setdefault(target, facts.handlers[alias])


def _definition_of(aliases: Mapping[str, str], defined: Set[str], name: str) -> str:
    """Return what a name stands for, through the packages that hand it on."""
    for _ in range(_LONGEST_CHAIN):
        if name in defined or name not in aliases:
            break
        name = aliases[name]
    return name


def _clean_files(facts: Facts, summaries: Mapping[str, Any], table: SinkTable) -> Iterator[str]:
    """Yield the files that cannot have a finding: they meet no error, or they send nothing."""
    with_error = {name for name, function in facts.functions.items() if function.error is not None}
    sending = {name for name, function in facts.functions.items() if function.sends}
    sending |= {name for name in facts.bases if table.sends(name, facts.bases) is not None} | facts.routes
    for path, summary in summaries.items():
        sources, sinks, calls = summary["prescan"]
        meets_error = (
            sources
            or not with_error.isdisjoint(calls)
            or any(is_error_class(name, facts.bases) for name in summary["bases"])
            or not facts.handlers.keys().isdisjoint(summary["own"])
        )
        sends = sinks or not sending.isdisjoint(calls) or not facts.routes.isdisjoint(summary["own"])
        if not meets_error or not sends:
            yield path


def _fill(facts: Facts, classes: _Classes, kind: str, parameter: str, place: tuple[str, int]) -> None:
    """Note that a raise site of `kind` fills the attributes that its parameter fills."""
    holder = kind
    for _ in range(_DEEPEST_CLASS):
        if holder in classes:
            break
        holder = next(iter(facts.bases.get(holder, ())), "")
    names, filled_by = classes.get(holder, ([], {}))
    if parameter.startswith("#"):
        index = int(parameter[1:])
        parameter = names[index] if index < len(names) else ""
    for attribute, name in filled_by.items():
        if name == parameter:
            facts.raw_attributes.setdefault(kind, {})[attribute] = place
