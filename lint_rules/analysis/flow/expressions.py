"""Evaluates what an expression's value carries in one function, with what its names carry at that point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import libcst as cst

from ...tables.python_calls import SHARED
from ..syntax import COMPREHENSIONS, children, elements, fors_of, is_constant, parameter_names
from .assignments import index_of, key_of
from .attributes import attribute_of
from .context import Environment
from .foreign import Foreign
from .registrations import error_parameter
from .tested_types import operands
from .values import (
    ANY,
    ELEMENT,
    EXCEPTION,
    INSTANCE,
    NOTHING,
    STORE,
    Origin,
    Taint,
    as_text,
    at,
    below,
    bounded,
    elements_of,
    joined,
    of_kind,
)

_DEEPEST: Final = 60
_MOST_ELEMENTS: Final = 12


@dataclass
class Expressions(Foreign):
    """Evaluates expressions. It reports each call that sends something raw when it evaluates the call."""

    depth: int = 0

    def evaluate(self, node: cst.BaseExpression | None, names: Environment) -> Taint:
        """Return what the value carries, and report the sinks in the expression."""
        if node is None or is_constant(node) or self.depth > _DEEPEST:
            return NOTHING
        self.depth += 1
        try:
            return bounded(self._evaluate(node, names))
        finally:
            self.depth -= 1

    def _evaluate(self, node: cst.BaseExpression, names: Environment) -> Taint:
        evaluate = _FORMS.get(type(node))
        return self._union(_expressions_in(node), names) if evaluate is None else evaluate(self, node, names)

    def _text(self, node: cst.FormattedString | cst.ConcatenatedString, names: Environment) -> Taint:
        return as_text(self._union(_holes(node), names))

    def _binary(self, node: cst.BinaryOperation, names: Environment) -> Taint:
        carried = self.evaluate(node.left, names) | self.evaluate(node.right, names)
        kind = type(node.operator)
        is_text = kind is cst.Modulo or (kind is cst.Add and not any(origin.path for origin in carried))
        return as_text(carried) if is_text else carried

    def _if(self, node: cst.IfExp, names: Environment) -> Taint:
        self.evaluate(node.test, names)
        if_true, if_false = self.narrowed(node.test, names)
        return self.evaluate(node.body, if_true) | self.evaluate(node.orelse, if_false)

    def _subscript(self, node: cst.Subscript, names: Environment) -> Taint:
        self._union([part for item in node.slice for part in _expressions_in(item)], names)
        return below(self.evaluate(node.value, names), index_of(node))

    def _walrus(self, node: cst.NamedExpr, names: Environment) -> Taint:
        carried = self.evaluate(node.value, names)
        self.bind(node.target, carried, names)
        return carried

    def _yield(self, node: cst.Yield, names: Environment) -> Taint:
        if isinstance(node.value, cst.From):
            return self.evaluate(node.value.item, names)
        return self.yielded_value(node, self.evaluate(node.value, names))

    def _silent(self, node: cst.BaseExpression, names: Environment) -> Taint:
        self._union(_expressions_in(node), names)
        return NOTHING

    def _starred(self, node: cst.StarredElement, names: Environment) -> Taint:
        return at(elements_of(self.evaluate(node.value, names)), ELEMENT)

    def _dict(self, node: cst.Dict, names: Environment) -> Taint:
        return joined([self._item(item, names) for item in node.elements])

    def yielded_value(self, node: cst.Yield, carried: Taint) -> Taint:
        """Take what a generator yields; return what `yield` itself gives."""
        return NOTHING

    def _lambda(self, node: cst.Lambda, names: Environment) -> Taint:
        """Follow the body of a lambda, which may be a handler or a route; the lambda itself carries nothing."""
        parameters = parameter_names(node)
        around = {} if self.is_module_body else names  # in a function, a name of the module is what it keeps
        inner = {**around, **dict.fromkeys(parameters, NOTHING)}
        lambdas = self.context.module.registered.lambdas
        error = lambdas.get(id(node))
        if error is not None and (name := error_parameter(parameters, len(parameters))) is not None:
            inner[name] = frozenset({Origin(EXCEPTION, error, self.context.places.number(node))})
        carried = self.evaluate(node.body, inner)
        if error is None and id(node) in lambdas:
            self.send(node, "a route's reply", carried)
        return NOTHING

    def _union(self, nodes: list[cst.BaseExpression], names: Environment) -> Taint:
        return joined([self.evaluate(node, names) for node in nodes])

    def _chain(self, node: cst.BooleanOperation, names: Environment) -> Taint:
        """Evaluate `a and b`, `a or b`: each part where those before it are true, or false."""
        is_and = isinstance(node.operator, cst.And)
        carried, known = NOTHING, names
        for part in operands(node):
            carried |= self.evaluate(part, known)
            known = self.narrowed(part, known)[0 if is_and else 1]
        return carried

    def _name(self, node: cst.Name, names: Environment) -> Taint:
        name = node.value
        if name in names and name not in self.shared:
            return names[name]
        module = self.context.module
        if name in module.variables or name in module.classes:
            store = f"{module.name}.{name}"
        else:
            store = module.imports.get(name, "")
            if not store or module.is_foreign(store):
                return NOTHING
        if self.context.gathered is None and not self.context.heap.is_known(store):
            return names.get(name, NOTHING)
        return names.get(name, NOTHING) | frozenset({Origin(STORE, store, 0)})

    def _attribute(self, node: cst.Attribute, names: Environment) -> Taint:
        carried = self.rooted(self.evaluate(node.value, names), 1)
        result = self.property_of(node, carried, names) if carried else NOTHING
        if result is not None and carried:
            return result
        name = node.attr.value
        result = attribute_of(carried, name, self.context.facts)
        if name in SHARED and not of_kind(carried, STORE, INSTANCE) and not _is_self(node.value):
            result |= frozenset({Origin(STORE, f".{name}", self.context.places.number(node))})
        return result

    def _item(self, item: cst.BaseDictElement, names: Environment) -> Taint:
        carried = self.evaluate(item.value, names)
        if not isinstance(item, cst.DictElement):
            return carried
        return at(carried, key_of(item.key)) | at(as_text(self.evaluate(item.key, names)), ANY)

    def _elements(self, node: cst.Tuple | cst.List | cst.Set, names: Environment) -> Taint:
        items = elements(node) or []
        is_short = len(items) <= _MOST_ELEMENTS and not any(isinstance(item, cst.StarredElement) for item in items)
        parts = []
        for index, item in enumerate(items):
            carried = self.evaluate(item, names)
            is_starred = isinstance(item, cst.StarredElement)
            parts.append(carried if is_starred else at(carried, str(index) if is_short else ELEMENT))
        return joined(parts)

    def _comprehension(
        self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp, names: Environment
    ) -> Taint:
        inner = dict(names)
        for clause in fors_of(node):
            self.bind(clause.target, elements_of(self.evaluate(clause.iter, inner)), inner)
            for condition in clause.ifs:
                self.evaluate(condition.test, inner)
                inner, _ = self.narrowed(condition.test, inner)
        if isinstance(node, cst.DictComp):
            return at(self.evaluate(node.key, inner) | self.evaluate(node.value, inner), ANY)
        return at(self.evaluate(node.elt, inner), ELEMENT)


_FORMS: Final[dict[type[cst.CSTNode], Callable[[Expressions, Any, Environment], Taint]]] = {
    cst.Name: Expressions._name,
    cst.Attribute: Expressions._attribute,
    cst.Call: Expressions.call,
    cst.FormattedString: Expressions._text,
    cst.ConcatenatedString: Expressions._text,
    cst.BinaryOperation: Expressions._binary,
    cst.BooleanOperation: Expressions._chain,
    cst.IfExp: Expressions._if,
    cst.Subscript: Expressions._subscript,
    cst.NamedExpr: Expressions._walrus,
    cst.Yield: Expressions._yield,
    cst.Lambda: Expressions._lambda,
    cst.Comparison: Expressions._silent,
    cst.UnaryOperation: Expressions._silent,
    cst.Dict: Expressions._dict,
    cst.Tuple: Expressions._elements,
    cst.List: Expressions._elements,
    cst.Set: Expressions._elements,
    cst.StarredElement: Expressions._starred,
    **dict.fromkeys(COMPREHENSIONS, Expressions._comprehension),
}


def _is_self(expression: cst.BaseExpression) -> bool:
    return isinstance(expression, cst.Name) and expression.value in {"self", "cls"}


def _expressions_in(node: cst.CSTNode) -> list[cst.BaseExpression]:
    """Return the expressions right below a node, in order."""
    parts: list[cst.BaseExpression] = []
    waiting = children(node)
    while waiting:
        part = waiting.pop()
        if _is_expression(part):
            parts.append(part)  # type: ignore[arg-type]
        else:
            waiting += children(part)
    return parts


_expression_kinds: dict[type[cst.CSTNode], bool] = {}


def _is_expression(node: cst.CSTNode) -> bool:
    """Return whether it is an expression; asking LibCST's classes costs much."""
    kind = type(node)
    if kind not in _expression_kinds:
        _expression_kinds[kind] = issubclass(kind, cst.BaseExpression)
    return _expression_kinds[kind]


def _holes(text: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Return the expressions in the holes of an f-string, also of one that is written in parts."""
    holes: list[cst.BaseExpression] = []
    waiting: list[cst.CSTNode] = [text]
    while waiting:
        part = waiting.pop()
        if isinstance(part, cst.ConcatenatedString):
            waiting += [part.right, part.left]
        elif isinstance(part, cst.FormattedString):
            waiting += reversed(part.parts)
        elif isinstance(part, cst.FormattedStringExpression):
            holes.append(part.expression)
    return holes
