"""What an attribute of a value carries, and what a value carries once its class is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...tables.errors import ALWAYS_RAW, AUTHORED_ATTRIBUTES, PROCESS_ATTRIBUTES, SAFE_ATTRIBUTES
from .facts import Facts
from .values import ERROR, EXCEPTION, MAYBE, NOTHING, PARAMETER, PROCESS, Origin, Taint, as_text, of_kind


def attribute_of(carried: Taint, name: str, facts: Facts) -> Taint:
    """Return what the attribute `name` of a value carries."""
    return NOTHING.union(*(_of_origin(origin, name, facts) for origin in carried))


def narrow(carried: Taint, kinds: Sequence[str]) -> Taint:
    """Return what a value carries once it is known to be an exception of one of these kinds."""
    errors, parameters = of_kind(carried, MAYBE, EXCEPTION), of_kind(carried, PARAMETER)
    return (
        (carried - errors - parameters)
        | frozenset(replace(error, kind=EXCEPTION, name=kind) for error in errors for kind in kinds)
        | frozenset(parameter.narrowed_to(kind) for parameter in parameters for kind in kinds)
    )


def _of_origin(origin: Origin, name: str, facts: Facts) -> Taint:
    if origin.kind == PROCESS:
        if name in PROCESS_ATTRIBUTES:
            return frozenset({Origin(ERROR, "the process's stderr", origin.place)})
        return frozenset({origin}) if name in {"communicate", "wait"} else NOTHING
    if name in SAFE_ATTRIBUTES:
        return NOTHING
    if origin.kind == PARAMETER:
        return frozenset({origin.attribute(name)})
    if origin.kind == EXCEPTION and origin.name and name not in ALWAYS_RAW:
        is_own = origin.name in facts.bases
        if is_own or (facts.is_authored(origin.name) and name in AUTHORED_ATTRIBUTES):
            place = facts.raw_at(origin.name, name)
            return NOTHING if place is None else frozenset({_filled(origin, place)})
        # the project may turn out to know the class
        return frozenset({replace(origin, kind=ERROR, name=f"{origin.name}#{name}")})
    return as_text(frozenset({origin}))


def _filled(origin: Origin, place: tuple[str, int]) -> Origin:
    step = (*place, "filled from another exception here")
    return Origin(ERROR, origin.name.rpartition(".")[2], origin.place, (step, *origin.trace))
