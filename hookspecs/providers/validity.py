"""What a valid hook implementation looks like: the one description that the loader and the gate PP003 share.

The loader describes a function by `inspect`, the gate describes it by its syntax; `faults` judges both.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import pluggy

from .. import specs

OPTIONS: Final = frozenset(pluggy.HookimplOpts.__annotations__)
"""The options that `hookimpl` has. pluggy raises TypeError for any other."""
_WRAPPERS = ("hookwrapper", "wrapper")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why plugport refuses an implementation: one sentence for its author, and what to point at.

    That is the parameter `argument`, or the options of `hookimpl` if `in_options`, else the function's name.
    """

    text: str
    argument: str | None = None
    in_options: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides on the validity of one implementation.

    `parameters` are those that a caller fills: without `self`, if the implementation is a bound method. They are
    None for a method that has no parameter for `self`. `options` are those of `hookimpl`; a missing one is off.
    """

    hook: str
    parameters: Sequence[inspect.Parameter] | None
    is_async: bool = False
    is_generator: bool = False
    options: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


def specifications() -> Mapping[str, tuple[str, ...]]:
    """Return every hook's name with its arguments, in the order of specs.py."""
    return {
        name: tuple(inspect.signature(function).parameters)
        for name, function in vars(specs).items()
        if inspect.isfunction(function) and hasattr(function, f"{specs.PROJECT}_spec")
    }


def faults(shape: Shape, known: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    """Yield what is wrong with an implementation; nothing if it is valid. `known` is `specifications()`."""
    hook = shape.hook
    if hook not in known and not shape.options.get("optionalhook"):
        yield Fault(
            f"it implements the unknown hook {hook}{_suggestion(hook, known)}; known: {', '.join(sorted(known))}"
        )
        return
    if any(shape.options.get(option) for option in _WRAPPERS):
        text = f"{hook} is a wrapper, which plugport does not call: implement the hook itself"
        yield Fault(text, in_options=True)
    elif shape.is_generator:
        yield Fault(f"{hook} is a generator: return the answer instead of yielding")
    if hook not in known:
        return
    if hook == "lint_rules" and shape.is_async:
        yield Fault("lint_rules is called without an event loop: write `def`, not `async def`")
    if shape.parameters is None:
        yield Fault(f"{hook} is a method without `self`: add it, or make the method a staticmethod")
    else:
        yield from _wrong_parameters(hook, shape.parameters, known[hook])


def implemented_twice(hook: str, functions: Sequence[str]) -> Fault:
    """Return the fault of a provider that has more than one implementation of a hook."""
    return Fault(f"it implements {hook} more than once: {', '.join(functions)}")


def _suggestion(hook: str, known: Iterable[str]) -> str:
    import difflib  # not needed to load valid providers

    near = difflib.get_close_matches(hook, known, 1)
    return f" (did you mean {near[0]}?)" if near else ""


def _wrong_parameters(hook: str, parameters: Sequence[inspect.Parameter], known: Sequence[str]) -> Iterator[Fault]:
    listed = ", ".join(known) or "none"
    for parameter in parameters:
        name = parameter.name
        text = None
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            star = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            text = f"{hook} takes {star}{name}: name the arguments that it needs; it has: {listed}"
        elif name not in known and parameter.default is parameter.empty:
            text = f"{hook} takes the unknown argument {name}; it has: {listed}"
        elif name in known and parameter.kind is parameter.POSITIONAL_ONLY:
            text = f"{hook} takes {name} by position only, but it is passed by name: remove the `/`"
        if text:
            yield Fault(text, name)
    essential = specs.ESSENTIAL_ARGUMENT.get(hook)
    if hook == "resolve_source" and essential not in {parameter.name for parameter in parameters}:
        yield Fault(f"{hook} misses the argument {essential}; it has: {listed}")
