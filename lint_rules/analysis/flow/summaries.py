"""Summarises a module for the others, and runs a module's functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from typing import Any

from ...engine.contract import JSON
from .facts import Facts, FunctionFacts
from .module import FunctionNode, Module, is_error_class, parameters
from .prescan import of_function, of_module
from .sinks import RESPONSES, registered
from .statements import FunctionFlow
from .values import LEAKS, NOTHING, PARAMETER, Taint, only, parsed, unless_safe

_ROUNDS = 3
_NAMES_OF_ERRORS = ("Error", "Exception", "Exit", "Failure", "Fault", "Problem", "Warning")
_LONGEST_CHAIN = 4
"""Packages through which a name is handed on."""
_STREAMING = frozenset({"StreamingResponse", "EventSourceResponse"})


def local_facts(module: Module) -> Facts:
    """What the module says of itself without following anything: bases of its classes, registered handlers."""
    facts = Facts()
    for found in module.classes.values():
        facts.bases[f"{module.name}.{found.name}"] = found.bases
    for kind, handler in registered(module.calls, module.assignments):
        name = module.qualified(handler)
        if name is not None:
            error = module.qualified(kind) or ""
            facts.handlers[name] = "" if error in {"Exception", "BaseException"} else error
    hands_on = module.is_package or not (module.functions or module.classes)
    facts.aliases = {
        f"{module.name}.{name}": target
        for name, target in module.imports.items()
        if hands_on or name.endswith(_NAMES_OF_ERRORS)
    }
    return facts


def functions_of(module: Module) -> Iterator[tuple[str | None, FunctionNode]]:
    """Each function of the module and each method of its classes, with the class."""
    for function in module.functions.values():
        yield None, function
    for found in module.classes.values():
        for method in found.methods.values():
            yield found.name, method


def streams_of(module: Module) -> frozenset[str]:
    """Generators of the module that a streaming response of the module is made of."""
    names = set()
    for call in module.calls:
        qualified = module.called(call) or ""
        if qualified.rpartition(".")[2] in _STREAMING or qualified in RESPONSES:
            for value in (*call.args[:1], *(one.value for one in call.keywords if one.arg == "content")):
                func = value.func if isinstance(value, ast.Call) else value
                names.add(
                    func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
                )
    return frozenset(names - {""})


def summarise(module: Module, path: str, sanitizers: frozenset[str]) -> dict[str, JSON]:
    """What other modules need of this one, as JSON.

    A function is followed where something can come of it, and again where a function of the module that it calls has
    turned out to do something.
    """
    facts = local_facts(module)
    streams = streams_of(module)
    functions = {
        f"{module.name}.{owner}.{function.name}" if owner else f"{module.name}.{function.name}": (owner, function)
        for owner, function in functions_of(module)
    }
    glances = {name: of_function(module, *found) for name, found in functions.items()}
    for name, (_, function) in functions.items():
        facts.functions[name] = FunctionFacts(path, _named(function))
    fills: dict[str, list[tuple[str, str, int, str]]] = {}
    todo = [name for name, seen in glances.items() if seen.sources or seen.returns or seen.sinks]
    for _ in range(_ROUNDS):
        changed = set()
        for name in todo:
            summary, flow = _summary(module, facts, path, sanitizers, *functions[name], streams)
            fills[name] = flow.fills
            if summary != facts.functions[name]:
                changed.add(name)
            facts.functions[name] = summary
        todo = [name for name, seen in glances.items() if not changed.isdisjoint(seen.calls)]
    told = facts.to_json()
    assert isinstance(told, dict)  # noqa: S101 - for the type checker
    kept: Any = told["functions"]
    told["functions"] = {key: one for key, one in kept.items() if one[2] or one[3] or one[4]}
    told["fills"] = [
        [kind, parameter, path, line, unless]
        for kind, parameter, line, unless in sorted({one for some in fills.values() for one in some})
    ]
    told["own"] = sorted(functions)
    told["classes"] = {
        f"{module.name}.{one.name}": [list(one.parameters), dict(one.filled_by)]
        for one in module.classes.values()
        if one.parameters
    }
    whole = of_module(module, glances.values())
    told["glance"] = [whole.sources, whole.sinks or bool(streams), sorted(whole.calls)]
    return told


def _summary(
    module: Module,
    facts: Facts,
    path: str,
    sanitizers: frozenset[str],
    owner: str | None,
    function: FunctionNode,
    streams: frozenset[str],
) -> tuple[FunctionFacts, FunctionFlow]:
    sends: dict[str, int] = {}

    def report(node: ast.AST, _what: str, carried: Taint) -> None:
        for one in only(carried, PARAMETER):
            sends.setdefault(one.name, getattr(node, "lineno", function.lineno))

    flow = FunctionFlow(module, facts, sanitizers, report, class_name=owner, streams=streams, summarising=True)
    flow.run(function, {})
    out = flow.returned | (NOTHING if function.name in streams else flow.yielded)
    leaks = only(out, *LEAKS)
    error = (min(leaks).line, f"{function.name}() puts an error's text into its result") if leaks else None
    names = _named(function)
    gives = frozenset(one.name for one in only(out, PARAMETER) if parsed(one.name)[0] in names)
    sent = {name: line for name, line in sends.items() if parsed(name)[0] in names}
    return FunctionFacts(path, names, gives, sent, error, unless_safe(leaks)), flow


def _named(function: FunctionNode) -> tuple[str, ...]:
    return tuple(one for one in parameters(function) if one not in {"self", "cls"})


def link(summaries: Mapping[str, Any]) -> Facts:
    """All summaries together, with each raise site resolved to the attributes that it fills."""
    facts = Facts()
    classes: dict[str, tuple[list[str], dict[str, str]]] = {}
    for told in summaries.values():
        facts.add_json(told)
        classes |= {name: (one[0], one[1]) for name, one in told["classes"].items()}
    _offer(facts)
    waiting = [one for told in summaries.values() for one in told["fills"]]
    while ready := [one for one in waiting if not one[4] or not facts.is_safe(one[4])]:
        waiting = [one for one in waiting if one[4] and facts.is_safe(one[4])]
        for kind, parameter, path, line, _ in ready:  # each may make another's text raw
            _fill(facts, classes, facts.aliases.get(kind, kind), parameter, (path, line))
    for function in facts.functions.values():
        if function.unless and all(facts.is_safe(one) for one in function.unless):
            function.error = None
    facts.quiet = frozenset(_quiet(facts, summaries))
    return facts


def _offer(facts: Facts) -> None:
    """Know what a package offers of its modules by both names: a function twice, a class as a class of its own that
    inherits from the other."""
    stars = [(alias, target) for alias, target in facts.aliases.items() if target.endswith(".*")]
    for alias, target in stars:
        package, module = alias.removesuffix("*"), target.removesuffix("*")
        for name in [one for one in (*facts.bases, *facts.functions) if one.startswith(module)]:
            if "." not in (last := name.removeprefix(module)):
                facts.aliases.setdefault(package + last, name)
    defined = facts.bases.keys() | facts.functions.keys()
    meant = {alias: _meant(facts.aliases, defined, alias) for alias in facts.aliases if alias not in defined}
    facts.aliases = {alias: target for alias, target in meant.items() if target in defined}
    for alias, target in facts.aliases.items():
        if target in facts.bases:
            facts.bases[alias] = (target,)
        else:
            facts.functions[alias] = facts.functions[target]
        if alias in facts.handlers:
            facts.handlers.setdefault(target, facts.handlers[alias])


def _meant(aliases: Mapping[str, str], defined: Set[str], name: str) -> str:
    """What a name stands for, through the packages that hand it on."""
    for _ in range(_LONGEST_CHAIN):
        if name in defined or name not in aliases:
            break
        name = aliases[name]
    return name


def _quiet(facts: Facts, summaries: Mapping[str, Any]) -> Iterator[str]:
    """The files that cannot have a finding: no error is met there, or nothing is sent."""
    giving = {name for name, one in facts.functions.items() if one.error is not None}
    sending = {name for name, one in facts.functions.items() if one.sends}
    sending |= {name for name in facts.bases if facts.is_response(name) or facts.is_refusal(name)}
    for path, told in summaries.items():
        sources, sinks, calls = told["glance"]
        met = (
            sources
            or not giving.isdisjoint(calls)
            or any(is_error_class(name, facts.bases) for name in told["bases"])
            or not facts.handlers.keys().isdisjoint(told["own"])
        )
        if not met or not (sinks or not sending.isdisjoint(calls)):
            yield path


def _fill(
    facts: Facts,
    classes: Mapping[str, tuple[list[str], dict[str, str]]],
    kind: str,
    parameter: str,
    place: tuple[str, int],
) -> None:
    holder = kind
    for _ in range(8):
        if holder in classes:
            break
        holder = next(iter(facts.bases.get(holder, ())), "")
    names, filled_by = classes.get(holder, ([], {}))
    if parameter.startswith("#"):
        index = int(parameter[1:])
        parameter = names[index] if index < len(names) else ""
    for attribute, name in filled_by.items():
        if name == parameter:
            facts.filled.setdefault(kind, {})[attribute] = place
