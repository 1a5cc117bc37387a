"""Summarises a module for the others."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ...engine.contract import JSON
from ..syntax import Function, argument, last_name
from .facts import Facts, FunctionFacts
from .module import Module
from .places import Places
from .prescan import prescan_function, prescan_module
from .sources import own_parameters
from .statements import Fill, FunctionFlow
from .values import LEAKS, NOTHING, PARAMETER, Taint, conditions, of_kind, split_name

_ROUNDS = 3
_STREAM_WRAPPERS = frozenset({"stream_with_context", "iterate_in_threadpool", "aiter", "iter", "to_sync_iterator"})
_NAMES_OF_ERRORS = ("Error", "Exception", "Exit", "Failure", "Fault", "Problem", "Warning")


def summarise(module: Module, path: str, sanitizers: frozenset[str], places: Places) -> dict[str, JSON]:
    """Return what other modules need to know of this one, as JSON.

    A function is followed if something can come of it, and again if a function of the module that it calls has turned
    out to do something.
    """
    facts = _local_facts(module)
    streams = streams_of(module)
    functions = dict(_functions_of(module))
    prescans = {name: prescan_function(module, *function) for name, function in functions.items()}
    for name, (_, function) in functions.items():
        facts.functions[name] = FunctionFacts(path, tuple(own_parameters(function)))
    fills: dict[str, list[Fill]] = {}
    todo = [name for name, scan in prescans.items() if scan.sources or scan.returns or scan.sinks]
    for _ in range(_ROUNDS):
        changed = set()
        for name in todo:
            summary, fills[name] = _summary(module, facts, path, sanitizers, places, *functions[name], streams)
            if summary != facts.functions[name]:
                changed.add(name)
            facts.functions[name] = summary
        todo = [name for name, scan in prescans.items() if not changed.isdisjoint(scan.calls)]
    facts.functions = {name: function for name, function in facts.functions.items() if function.does_something}
    scan = prescan_module(module, prescans.values())
    return {
        **facts.to_json(),
        "fills": [
            [kind, parameter, path, line, condition]
            for kind, parameter, line, condition in sorted(
                {
                    (fill.kind, fill.parameter, places.line(fill.place), fill.condition)
                    for of_function in fills.values()
                    for fill in of_function
                }
            )
        ],
        "own": sorted(functions),
        "classes": {
            f"{module.name}.{facts_of_class.name}": [list(facts_of_class.parameters), dict(facts_of_class.filled_by)]
            for facts_of_class in module.classes.values()
            if facts_of_class.parameters
        },
        "prescan": [scan.sources, scan.sinks or bool(streams), sorted(scan.calls)],
    }


def streams_of(module: Module) -> frozenset[str]:
    """Return the names of the functions that a streaming response of the module is made of."""
    names = set()
    for call in module.calls:
        if module.table.streams(module.called(call) or "") or module.table.streams(f".{last_name(call.func)}"):
            for value in (argument(call, 0), argument(call, None, "content", "streaming_content", "response")):
                names.add(_streamed_name(value))
    return frozenset(names - {""})


def _streamed_name(value: cst.BaseExpression | None) -> str:
    """Return the name of the generator that a streaming response is given, also through a wrapper."""
    while isinstance(value, cst.Call) and last_name(value.func) in _STREAM_WRAPPERS:
        value = argument(value, 0)
    return last_name(value.func if isinstance(value, cst.Call) else value)


def _local_facts(module: Module) -> Facts:
    """Return what the module says without following anything: bases of its classes, registered handlers, aliases."""
    facts = Facts(bases={f"{module.name}.{name}": definition.bases for name, definition in module.classes.items()})
    facts.handlers, facts.routes = dict(module.registered.handlers), frozenset(module.registered.routes)
    hands_on = module.is_package or not (module.functions or module.classes)
    facts.aliases = {
        f"{module.name}.{name}": target
        for name, target in module.imports.items()
        if hands_on or name.endswith(_NAMES_OF_ERRORS)
    }
    return facts


def _functions_of(module: Module) -> Iterator[tuple[str, tuple[str | None, Function]]]:
    """Yield the qualified name of each function and method, with the class and the node."""
    for function in module.functions.values():
        yield f"{module.name}.{function.name.value}", (None, function)
    for facts in module.classes.values():
        for method in facts.methods.values():
            yield f"{module.name}.{facts.name}.{method.name.value}", (facts.name, method)


def _summary(
    module: Module,
    facts: Facts,
    path: str,
    sanitizers: frozenset[str],
    places: Places,
    owner: str | None,
    function: Function,
    streams: frozenset[str],
) -> tuple[FunctionFacts, list[Fill]]:
    sends: dict[str, int] = {}

    def report(node: cst.CSTNode, _medium: str, carried: Taint) -> None:
        for origin in of_kind(carried, PARAMETER):
            sends.setdefault(origin.name, places.number(node))

    flow = FunctionFlow(
        module, facts, sanitizers, report, places, class_name=owner, streams=streams, summarising=True
    )
    flow.follow(function, {})
    result = flow.returned | (NOTHING if function.name.value in streams else flow.yielded)
    leaks = of_kind(result, *LEAKS)
    text = f"{function.name.value}() puts an error's text into its result"
    error = (min(places.line(leak.place) for leak in leaks), text) if leaks else None
    names = tuple(own_parameters(function))
    returns = frozenset(origin.name for origin in of_kind(result, PARAMETER) if split_name(origin.name)[0] in names)
    sent = {name: places.line(place) for name, place in sends.items() if split_name(name)[0] in names}
    return FunctionFacts(path, names, returns, sent, error, conditions(leaks)), flow.fills
