"""What subscripts, iterations, unpackings and context managers make of a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from ..syntax import indices
from .bindings import Scope, constant_key
from .model import DOUBLE, Command, Double, Instance, Many, Named, Own, Pair, Routine, Table, Value, decode

if TYPE_CHECKING:
    from .evaluator import Evaluator


class Steps:
    """The steps from one value of a module to another."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def subscript(self, node: cst.Subscript, value: Value | None, scope: Scope) -> Value | None:
        if isinstance(value, Command):
            return self._evaluator.calls.command(value, list(indices(node)), scope)
        if isinstance(value, Named) and value.name == "plumbum.local":
            return self._evaluator.calls.command(Command(()), list(indices(node)), scope)
        return self.item(value, constant_key(node), is_slice=not all(map(_is_index, node.slice)))

    def item(self, value: Value | None, key: str | None, *, is_slice: bool = False) -> Value | None:
        """Return `value[key]`."""
        match value:
            case Table(inner):
                return inner
            case Many(inner):
                return value if is_slice else inner
            case Pair():
                return Many(self.step(value, "item")) if is_slice else self.step(value, "item")
            case Instance(kind):
                items = self._evaluator.about(kind).items
                return value if is_slice else (Instance(items) if items is not None else None)
            case Named("sys.modules", ()) if key is not None:
                return self._evaluator.imported(key)
            case Named(name, (".__dict__",)) if key is not None:
                return self._evaluator.imported(f"{name}.{key}")
            case Named(name, steps):
                if key is not None and (kept := self._unknown_item(key)) is not None:
                    return kept
                return Named(name, (*steps, "[]")) if steps else value
            case Double():
                return DOUBLE
        return self._unknown_item(key) if key is not None else None

    def _unknown_item(self, key: str) -> Value | None:
        for binding in self._evaluator.bindings.items.get(key, ()):
            if (value := self._evaluator.binding(binding)) is not None:
                return value
        return self._evaluator.resolved(decode(self._evaluator.facts.items.get(key)))

    def step(self, value: Value | None, step: int | str) -> Value | None:
        """Return what iterating, unpacking or entering a value gives."""
        match value:
            case Double():
                return DOUBLE
            case Pair(parts):
                if isinstance(step, int):
                    return parts[step] if step < len(parts) else None
                first = next((part for part in parts if part is not None), None)
                return Many(first) if step == "rest" else first
            case Many(item, is_manager):
                if step == "rest":
                    return value
                return None if step == "enter" and not is_manager else item
            case Instance(kind):
                items = self._evaluator.about(kind).items
                if step == "enter":
                    return value
                return value if step == "rest" else (Instance(items) if items is not None else None)
            case Own(owner):
                return self._entered(owner) if step == "enter" else self._iterated(owner)
            case Named(name, steps):
                return Named(name, (*steps, "item" if isinstance(step, int) else step))
        return None

    def _entered(self, owner: str) -> Value | None:
        for name in ("__enter__", "__aenter__"):
            method = self._evaluator.member(owner, name)
            if method is not None:
                result = self._evaluator.calls.of_value(method)
                return result if result is not None else Own(owner)
        return Own(owner)

    def _iterated(self, owner: str) -> Value | None:
        evaluator = self._evaluator
        method = evaluator.member(owner, "__iter__") or evaluator.member(owner, "__aiter__")
        iterator = evaluator.calls.of_value(method) if isinstance(method, Routine) else None
        if isinstance(iterator, Own):
            following = evaluator.member(iterator.name, "__next__") or evaluator.member(iterator.name, "__anext__")
            return evaluator.calls.of_value(following) if isinstance(following, Routine) else None
        return self.step(iterator, "item")


def _is_index(element: cst.SubscriptElement) -> bool:
    return isinstance(element.slice, cst.Index)
