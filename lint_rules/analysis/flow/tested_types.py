"""Says what the names of a function carry where a test is true, and where it is false."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from ..syntax import elements, is_named, positional, string_value
from .assignments import Assignments
from .attributes import failed_in, narrow
from .context import Environment
from .module import is_error_class
from .values import EXCEPTION, LEAKS, MAYBE, NOTHING, STATUS, Taint, of_kind

_FAILS = {
    cst.NotEqual: True,
    cst.GreaterThan: True,
    cst.LessThan: True,
    cst.IsNot: True,
    cst.Equal: False,
    cst.Is: False,
}
"""By the comparison with 0: whether it is true for the exit code of a process that failed."""


@dataclass
class Narrowing(Assignments):
    """An `Assignments` that understands `isinstance` and the exit codes of processes."""

    def narrowed(self, test: cst.BaseExpression, names: Environment) -> tuple[Environment, Environment]:
        """Return what the names carry if the test is true, and if it is false."""
        if_true, if_false = dict(names), dict(names)
        negated = isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not)
        inner = test.expression if isinstance(test, cst.UnaryOperation) and negated else test
        is_and = isinstance(inner, cst.BooleanOperation) and isinstance(inner.operator, cst.And)
        parts = operands(inner)
        for part in parts:
            if len(parts) == 1 or is_and:
                self._by_class(part, names, if_true, if_false if len(parts) == 1 else {})
            if self.knows_process and (failed := self._failed(part, names)) is not None:
                places, is_true = failed
                changed = if_true if is_true else if_false
                changed.update({name: failed_in(carried, places) for name, carried in changed.items()})
        if len(parts) == 1:
            _empty(inner, if_true, if_false)
        return (if_false, if_true) if negated else (if_true, if_false)

    def _by_class(
        self, part: cst.BaseExpression, names: Environment, if_true: Environment, if_false: Environment
    ) -> None:
        if not isinstance(part, cst.Call) or not is_named(part.func, "isinstance"):
            return
        values = positional(part)
        if len(values) == 2 and isinstance(values[0], cst.Name):
            kinds = _kinds(values[1])
            module, bases = self.context.module, self.context.facts.bases
            if all(is_error_class(module.qualified(error), bases) for error in kinds):
                name = values[0].value
                carried = names.get(name, NOTHING)
                if_true[name] = narrow(carried, [self.error_name(error) for error in kinds])
                if_false[name] = self._without(carried, kinds)

    def _without(self, carried: Taint, kinds: Sequence[cst.BaseExpression]) -> Taint:
        """Return what a value carries that is no exception of these kinds."""
        names = frozenset(self.error_name(kind) for kind in kinds)
        return frozenset(
            origin
            for origin in carried - of_kind(carried, MAYBE)
            if origin.path
            or origin.kind != EXCEPTION
            or not ("" in names or self.context.facts.descends(origin.name, names))
        )

    def _failed(self, part: cst.BaseExpression, names: Environment) -> tuple[frozenset[int], bool] | None:
        """Return where the processes began whose failure a test shows, and whether it does so if it is true."""
        is_true = True
        while isinstance(part, cst.UnaryOperation) and isinstance(part.operator, cst.Not):
            part, is_true = part.expression, not is_true
        match part:
            case cst.Comparison(left=left, comparisons=[target]) if isinstance(target.comparator, cst.Integer):
                fails = _FAILS.get(type(target.operator))
                if fails is None:
                    return None
                is_zero = target.comparator.value == "0"
                part, is_true = left, is_true == (fails if is_zero else not fails)
            case cst.Comparison():
                return None
        if not isinstance(part, cst.Name | cst.Attribute | cst.Call | cst.Await | cst.Subscript):
            return None
        places = frozenset(origin.place for origin in of_kind(self.evaluate(part, names), STATUS))
        return (places, is_true) if places else None

    def error_name(self, expression: cst.BaseExpression | None) -> str:
        """Return the qualified name of an exception class; empty for one that says nothing."""
        qualified = self.context.module.qualified(expression) if expression is not None else None
        return "" if qualified is None or qualified in {"Exception", "BaseException"} else qualified


def _empty(test: cst.BaseExpression, if_true: Environment, if_false: Environment) -> None:
    """Forget the errors in what a test shows to be false or None: a name, or what it holds at a key."""
    names = if_false
    match test:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(cst.Is() | cst.IsNot() as operator, value)]):
            if not is_named(value, "None"):
                return
            test, names = left, if_true if isinstance(operator, cst.Is) else if_false
    path: tuple[str, ...] = ()
    match test:
        case cst.Subscript(
            value=cst.Name() as holder, slice=[cst.SubscriptElement(cst.Index(cst.SimpleString() as key))]
        ):
            test, path = holder, (string_value(key) or "",)
    if isinstance(test, cst.Name) and test.value in names:
        carried = names[test.value]
        names[test.value] = carried - {item for item in of_kind(carried, *LEAKS) if item.path[: len(path)] == path}


def operands(expression: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Return the operands of a chain of one of `and` and `or`; LibCST nests them."""
    if not isinstance(expression, cst.BooleanOperation):
        return [expression]
    kind = type(expression.operator)
    parts: list[cst.BaseExpression] = []
    waiting: list[cst.BaseExpression] = [expression]
    while waiting:
        part = waiting.pop()
        if isinstance(part, cst.BooleanOperation) and (part is expression or isinstance(part.operator, kind)):
            waiting += [part.right, part.left]
        else:
            parts.append(part)
    return parts


def _kinds(kind: cst.BaseExpression) -> list[cst.BaseExpression]:
    if isinstance(kind, cst.BinaryOperation):
        return [*_kinds(kind.left), *_kinds(kind.right)]
    return (elements(kind) or []) if isinstance(kind, cst.Tuple) else [kind]
