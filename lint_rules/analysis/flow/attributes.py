"""What an attribute of a value carries, and what a value carries once its class is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...tables.errors import ALWAYS_RAW, PROCESS_ERRORS, PROCESS_OUTPUTS, PROCESS_STATUS, SAFE_ATTRIBUTES
from ...tables.python_calls import COPIES, READS
from .facts import Facts
from .values import (
    ANY,
    CLIENT,
    ELEMENT,
    ERROR,
    EXCEPTION,
    FIELD,
    INSTANCE,
    MAYBE,
    NOTHING,
    OUTPUT,
    PARAMETER,
    PROCESS,
    STATUS,
    STORE,
    TEXT,
    Origin,
    Taint,
    as_text,
    at,
    below,
    elements_of,
    joined,
    of_kind,
    same_key,
    split_name,
)

FAILED = "failed"
"""Name of a process of which the code knows that it failed."""


def attribute_of(carried: Taint, name: str, facts: Facts) -> Taint:
    """Return what the attribute `name` of a value carries."""
    if name == "__dict__":
        return frozenset(origin for origin in carried if origin.path or origin.kind in {STORE, PARAMETER})
    return joined([_of_origin(origin, name, facts) for origin in carried]) if carried else carried


def narrow(carried: Taint, kinds: Sequence[str]) -> Taint:
    """Return what a value carries once it is known to be an exception of one of these kinds."""
    errors, parameters = of_kind(carried, MAYBE, EXCEPTION), of_kind(carried, PARAMETER)
    return (
        (carried - errors - parameters)
        | frozenset(replace(error, kind=EXCEPTION, name=kind or error.name) for error in errors for kind in kinds)
        | frozenset(parameter.narrowed_to(kind) for parameter in parameters for kind in kinds)
    )


def instantiated(name: str, values: Mapping[str, Taint], facts: Facts) -> Taint:
    """Return what a parameter of a function, or a part of it, carries in a call with these arguments."""
    parameter, kind, parts = split_name(name)
    carried = values.get(parameter, NOTHING)
    if kind:
        carried = narrow(carried, [kind])
    for part in parts:
        carried = _part_of(carried, part, facts)
    return carried


def _part_of(carried: Taint, part: str, facts: Facts) -> Taint:
    if part == f"[{ELEMENT}]":
        return elements_of(carried)
    if part.startswith("["):
        return below(carried, part[1:-1])
    if not part.endswith("()"):
        return attribute_of(carried, part, facts)
    stores = frozenset(origin.part(part) for origin in of_kind(carried, STORE) if not origin.path)
    return stores | method_of(carried - of_kind(carried, STORE), part.removesuffix("()"), ANY, facts)


def method_of(carried: Taint, name: str, key: str, facts: Facts) -> Taint:
    """Return what the result of a method carries that is not the project's; `key` is its first argument."""
    held = frozenset(origin for origin in carried if origin.path or origin.kind in {STORE, PARAMETER})
    result = attribute_of(carried - held - of_kind(carried, MAYBE), name, facts) | of_kind(carried, MAYBE)
    if name in READS:
        return result | below(held, key)
    if name in COPIES:
        kept = frozenset({*held, *of_kind(carried, OUTPUT)})
        if name in {"values", "items"}:
            return result | at(below(kept, ANY), ELEMENT, *(["1"] if name == "items" else []))
        return result | kept
    return result | frozenset(
        origin.part(f"{name}()") for origin in held if origin.kind == PARAMETER and not origin.path
    )


def _of_origin(origin: Origin, name: str, facts: Facts) -> Taint:
    if origin.path:
        is_held = same_key(origin.path[0], name)
        return frozenset({origin.at(origin.path[1:])}) if is_held else NOTHING
    if origin.kind in {STORE, PARAMETER}:
        return frozenset({origin.part(name)})
    if origin.kind in {CLIENT, OUTPUT}:
        return frozenset({origin})
    if origin.kind == PROCESS:
        return _of_process(origin, name)
    if name in SAFE_ATTRIBUTES or origin.kind in {INSTANCE, STATUS}:
        return NOTHING
    if origin.kind == FIELD and origin.name.endswith(f"#{TEXT}"):
        origin = replace(origin, kind=EXCEPTION, name=origin.name.partition("#")[0])
    if origin.kind == EXCEPTION and origin.name and (name == "args" or name not in ALWAYS_RAW):
        # the project may turn out to know the class
        return frozenset({replace(origin, kind=FIELD, name=f"{origin.name}#{name}")})
    if origin.kind == EXCEPTION:
        return frozenset({replace(origin, kind=ERROR)})
    return as_text(frozenset({origin}))


def _of_process(origin: Origin, name: str) -> Taint:
    if name in PROCESS_ERRORS or (name in PROCESS_OUTPUTS and origin.name == FAILED):
        return frozenset({Origin(ERROR, "the process's stderr", origin.place, origin.trace)})
    if name in PROCESS_OUTPUTS:
        return frozenset({replace(origin, kind=OUTPUT)})
    if name in PROCESS_STATUS:
        return frozenset({replace(origin, kind=STATUS)})
    return frozenset({origin}) if name in {"communicate", "wait", "process", "channel"} else NOTHING


def failed_in(carried: Taint, places: frozenset[int]) -> Taint:
    """Return what a value carries where the processes that began at these places are known to have failed."""
    return frozenset(
        replace(origin, kind=ERROR, name="the process's output")
        if origin.kind == OUTPUT and origin.place in places
        else replace(origin, name=FAILED)
        if origin.kind == PROCESS and origin.place in places
        else origin
        for origin in carried
    )
