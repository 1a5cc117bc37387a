"""The arguments of one call, with what each carries, and which parameter of a function each fills."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from .facts import FunctionFacts
from .values import ELEMENT, NOTHING, Taint, at, below, elements_of, joined


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its keyword (empty for none), `*`, `**` or nothing before it, its value and what that carries."""

    keyword: str
    star: str
    value: cst.BaseExpression
    carried: Taint


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call; `receiver` is the object whose method is called, with what it carries."""

    items: tuple[Argument, ...]
    receiver: cst.BaseExpression | None = None
    received: Taint = NOTHING

    @property
    def carried(self) -> Taint:
        """What all arguments carry."""
        return joined(item.carried for item in self.items)

    def of(self, value: cst.BaseExpression) -> Taint:
        """Return what one argument carries."""
        return next((item.carried for item in self.items if item.value is value), NOTHING)

    def positional(self, index: int) -> Taint:
        """Return what the argument at a position carries; nothing if there is none."""
        values = [item for item in self.items if not item.keyword and not item.star]
        return values[index].carried if index < len(values) else NOTHING

    def without_first(self, count: int) -> Arguments:
        """Return them without the first ones, for the function that the last of those is."""
        return Arguments(self.items[count:])

    def bound(self, function: FunctionFacts) -> tuple[dict[str, Taint], dict[str, cst.BaseExpression]]:
        """Return by parameter of a function what it carries, and the expression that is passed for it."""
        carried: dict[str, Taint] = {"self": self.received, "cls": self.received}
        values: dict[str, cst.BaseExpression] = {}
        if self.receiver is not None:
            values["self"] = values["cls"] = self.receiver
        for name, taint, value in self._pairs(function):
            carried[name] = carried.get(name, NOTHING) | taint
            if value is not None:
                values.setdefault(name, value)
        return carried, values

    def _pairs(self, function: FunctionFacts) -> Iterator[tuple[str, Taint, cst.BaseExpression | None]]:
        open_names = list(function.parameters)
        for item in self.items:
            if item.star == "**":
                for name in open_names:
                    yield name, below(item.carried, name), None
                yield function.rest, item.carried, None
            elif item.star == "*":
                for name in open_names:
                    yield name, elements_of(item.carried), None
                yield function.star, at(elements_of(item.carried), ELEMENT), None
            elif item.keyword:
                if item.keyword in function.parameters:
                    if item.keyword in open_names:
                        open_names.remove(item.keyword)
                    yield item.keyword, item.carried, item.value
                else:
                    yield function.rest, at(item.carried, item.keyword), None
            elif open_names:
                yield open_names.pop(0), item.carried, item.value
            else:
                yield function.star, at(item.carried, ELEMENT), None


def numbered(items: Iterable[Argument]) -> Iterator[tuple[str, Taint]]:
    """Yield each argument that carries something under its keyword, or as `#position`."""
    position = 0
    for item in items:
        if item.star:
            yield item.star, item.carried
        elif item.keyword:
            yield item.keyword, item.carried
        else:
            yield f"#{position}", item.carried
            position += 1


def renumbered(pairs: Iterable[tuple[str, Taint]], function: FunctionFacts) -> dict[str, Taint]:
    """Return by parameter of a function what the arguments of `numbered` fill."""
    items = [
        Argument("" if name[:1] in {"#", "*"} else name, name if name[:1] == "*" else "", cst.Name("_"), carried)
        for name, carried in pairs
    ]
    return Arguments(tuple(items)).bound(function)[0]
