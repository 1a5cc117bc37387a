"""Evaluates what an expression's value carries in one function, with what its names carry at that point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import libcst as cst

from ...tables.python_calls import LOGS, MAKES_TEXT, MUTATES, PASSES, SILENT
from ..syntax import (
    COMPREHENSIONS,
    children,
    code,
    elements,
    fors_of,
    getattr_as_attribute,
    is_constant,
    last_name,
    parameter_names,
    passed_values,
    positional,
)
from .attributes import attribute_of, narrow
from .facts import Facts, FunctionFacts
from .module import Module, is_error_class, is_named, passed
from .places import Places
from .receivers import Receivers
from .registrations import error_parameter
from .sinks import assigned_medium, sink_of
from .sources import source_of
from .values import (
    ERROR,
    EXCEPTION,
    LEAKS,
    LONGEST_TRACE,
    MAYBE,
    NOTHING,
    PARAMETER,
    PROCESS,
    Origin,
    Taint,
    as_text,
    bounded,
    of_kind,
    split_name,
)

Environment = dict[str, Taint]
Report = Callable[[cst.CSTNode, str, Taint], None]
"""Receives a node that sends something, the medium, and what is sent."""
_DEEPEST: Final = 60


@dataclass
class Expressions:
    """Evaluates expressions. It reports each call that sends something raw when it evaluates the call. `parameters`
    are those of the functions around, `attributes` what the attributes of `self` carry."""

    module: Module
    facts: Facts
    sanitizers: frozenset[str]
    report: Report
    places: Places
    parameters: frozenset[str] = frozenset()
    attributes: dict[str, Taint] = field(default_factory=dict)
    class_name: str | None = None
    depth: int = 0
    objects: Receivers = field(init=False)

    def __post_init__(self) -> None:
        self.objects = Receivers(self.module, self.facts.bases, None, self.class_name)

    def evaluate(self, node: cst.BaseExpression | None, names: Environment) -> Taint:
        """Return what the value carries, and report the sinks in the expression."""
        if node is None or is_constant(node) or self.depth > _DEEPEST:
            return NOTHING
        self.depth += 1
        try:
            return bounded(self._evaluate(node, names))
        finally:
            self.depth -= 1

    def _evaluate(  # noqa: PLR0912 - an arm for each form
        self, node: cst.BaseExpression, names: Environment
    ) -> Taint:
        match node:
            case cst.Name(value=name):
                return names.get(name, NOTHING)
            case cst.Attribute():
                return self._attribute(node, names)
            case cst.Call():
                return self._call(node, names)
            case cst.Lambda():
                return self._lambda(node, names)
            case cst.FormattedString() | cst.ConcatenatedString():
                return as_text(self._union(_holes(node), names))
            case cst.BinaryOperation(left=left, operator=operator, right=right):
                carried = self.evaluate(left, names) | self.evaluate(right, names)
                return as_text(carried) if isinstance(operator, cst.Modulo | cst.Add) else carried
            case cst.BooleanOperation():
                return self._union(operands(node), names)
            case cst.IfExp(test=test, body=body, orelse=orelse):
                self.evaluate(test, names)
                if_true, if_false = self.narrowed(test, names)
                return self.evaluate(body, if_true) | self.evaluate(orelse, if_false)
            case cst.Comparison() | cst.UnaryOperation():
                self._parts(node, names)
                return NOTHING
            case cst.Subscript(value=value, slice=index):
                self._union([part for item in index for part in _expressions_in(item)], names)
                return self.evaluate(value, names)
            case cst.NamedExpr(target=cst.Name(value=name), value=value):
                names[name] = carried = self.evaluate(value, names)
                return carried
            case cst.Yield(value=value) if not isinstance(value, cst.From):
                return self._yielded(node, self.evaluate(value, names))
        if isinstance(node, COMPREHENSIONS):
            return self._comprehension(node, names)
        return self._parts(node, names)

    def _parts(self, node: cst.BaseExpression, names: Environment) -> Taint:
        return self._union(_expressions_in(node), names)

    def _union(self, nodes: list[cst.BaseExpression], names: Environment) -> Taint:
        return frozenset().union(*(self.evaluate(node, names) for node in nodes))

    def _yielded(self, node: cst.Yield, carried: Taint) -> Taint:
        """Take what a generator yields; return what `yield` itself gives."""
        return NOTHING

    def _lambda(self, node: cst.Lambda, names: Environment) -> Taint:
        """Follow the body of a lambda, which may be a handler or a route; the lambda itself carries nothing."""
        parameters = parameter_names(node)
        inner = {**names, **dict.fromkeys(parameters, NOTHING)}
        error = self.module.registered.lambdas.get(id(node))
        if error is not None and (name := error_parameter(parameters, len(parameters))) is not None:
            inner[name] = frozenset({Origin(EXCEPTION, error, self.places.number(node))})
        carried = self.evaluate(node.body, inner)
        if error is None and id(node) in self.module.registered.lambdas:
            self._send(node, "a route's reply", carried)
        return NOTHING

    def _comprehension(
        self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp, names: Environment
    ) -> Taint:
        inner = dict(names)
        for clause in fors_of(node):
            self.bind(clause.target, self.evaluate(clause.iter, inner), inner)
            for condition in clause.ifs:
                self.evaluate(condition.test, inner)
                inner, _ = self.narrowed(condition.test, inner)
        if isinstance(node, cst.DictComp):
            return self.evaluate(node.key, inner) | self.evaluate(node.value, inner)
        return self.evaluate(node.elt, inner)

    def bind(
        self,
        target: cst.BaseExpression,
        carried: Taint,
        names: Environment,
        value: cst.BaseExpression | None = None,
    ) -> None:
        """Give a target what a value carries."""
        match target:
            case cst.Name(value=name):
                names[name] = carried
            case cst.StarredElement(value=inner):
                self.bind(inner, carried, names)
            case cst.Tuple() | cst.List():
                self._unpack(elements(target) or [], carried, names, value)
            case cst.Attribute(value=cst.Name(value="self"), attr=attribute):
                name = attribute.value
                self.attributes[name] = self.attributes.get(name, NOTHING) | carried
            case cst.Attribute(value=holder) | cst.Subscript(value=holder):
                root = _root(holder)
                if not self._report_assigned(target, carried) and root is not None and carried:
                    names[root] = names.get(root, NOTHING) | carried

    def _unpack(
        self,
        targets: list[cst.BaseExpression],
        carried: Taint,
        names: Environment,
        value: cst.BaseExpression | None,
    ) -> None:
        values = elements(value) if isinstance(value, cst.Tuple | cst.List) else None
        if values is not None and len(values) == len(targets):
            parts = [self.evaluate(part, names) if carried else NOTHING for part in values]
            for target, carried_part, part in zip(targets, parts, values, strict=True):
                self.bind(target, carried_part, names, part)
            return
        process = of_kind(carried, PROCESS)
        stderr = frozenset(Origin(ERROR, "the process's stderr", origin.place) for origin in process)
        for index, target in enumerate(targets):
            self.bind(target, (carried - process) | (stderr if index == 1 else NOTHING), names)

    def _report_assigned(self, target: cst.Attribute | cst.Subscript, carried: Taint) -> bool:
        """Report what is set in a response, as `response.headers[…] = …`. Return whether it was that."""
        medium = assigned_medium(target, self.objects) if carried else None
        if medium is not None:
            self._send(target, medium, carried)
        return medium is not None

    def narrowed(self, test: cst.BaseExpression, names: Environment) -> tuple[Environment, Environment]:
        """Return what the names carry if the test is true, and if it is false."""
        if_true, if_false = dict(names), dict(names)
        negated = isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not)
        inner = test.expression if isinstance(test, cst.UnaryOperation) and negated else test
        is_and = isinstance(inner, cst.BooleanOperation) and isinstance(inner.operator, cst.And)
        parts = operands(inner) if is_and else [inner]
        for part in parts:
            if not isinstance(part, cst.Call) or not is_named(part.func, "isinstance"):
                continue
            values = positional(part)
            if len(values) == 2 and isinstance(values[0], cst.Name):
                kinds = _kinds(values[1])
                if all(is_error_class(self.module.qualified(error), self.facts.bases) for error in kinds):
                    name = values[0].value
                    carried = names.get(name, NOTHING)
                    if_true[name] = narrow(carried, [self.error_name(error) for error in kinds])
                    if len(parts) == 1:
                        if_false[name] = carried - of_kind(carried, MAYBE)
        return (if_false, if_true) if negated else (if_true, if_false)

    def error_name(self, expression: cst.BaseExpression | None) -> str:
        """Return the qualified name of an exception class; empty for one that says nothing."""
        qualified = self.module.qualified(expression) if expression is not None else None
        return "" if qualified is None or qualified in {"Exception", "BaseException"} else qualified

    def _attribute(self, node: cst.Attribute, names: Environment) -> Taint:
        carried = attribute_of(self.evaluate(node.value, names), node.attr.value, self.facts)
        if is_named(node.value, "self"):
            return carried | self.attributes.get(node.attr.value, NOTHING)
        return carried

    def _call(self, call: cst.Call, names: Environment) -> Taint:
        qualified = self.module.called(call)
        if qualified is not None and (qualified in self.sanitizers or last_name(call.func) in self.sanitizers):
            self._union(passed_values(call), names)
            return NOTHING
        if (source := source_of(call, qualified)) is not None:
            self._union(passed_values(call), names)
            return frozenset({Origin(*source, self.places.number(call))})
        sink = sink_of(call, qualified, self.objects, self.parameters)
        if sink is not None:
            values = {id(value): self.evaluate(value, names) for value in passed_values(call)}
            sent = bounded(NOTHING.union(*(values[id(value)] for value in sink.values)))
            self._send(call, sink.medium, sent)
            return of_kind(sent, PARAMETER)
        function = self._function(call, qualified)
        if function is not None:
            return self._through(call, function, names)
        return self._unknown(call, qualified, names)

    def _function(self, call: cst.Call, qualified: str | None) -> FunctionFacts | None:
        match call.func:
            case cst.Attribute(value=cst.Name(value="self" | "cls"), attr=method) if self.class_name is not None:
                return self.facts.functions.get(f"{self.module.name}.{self.class_name}.{method.value}")
        return self.facts.functions.get(qualified) if qualified is not None else None

    def _through(self, call: cst.Call, function: FunctionFacts, names: Environment) -> Taint:
        """Call a function of the project: report what it sends, return what its result carries."""
        result: set[Origin] = set()
        sent: set[Origin] = set()
        sent_line = 0
        for parameter, value in passed(call, function.parameters):
            carried = self.evaluate(value, names)
            for part in function.returns:
                result |= as_text(self._part(carried, parameter, part))
            for part, line in function.sends.items():
                if carried_part := self._part(carried, parameter, part):
                    sent_line = line
                    sent |= carried_part
        if sent:
            step = (function.path, sent_line, f"sent by {code(call.func)}()")
            traced = (replace(origin, trace=(*origin.trace, step)[:LONGEST_TRACE]) for origin in sent)
            self._send(call, "a response", frozenset(traced))
        if function.error is not None:
            source = (function.path, *function.error)
            result.add(Origin(ERROR, f"the result of {code(call.func)}()", self.places.number(call), (source,)))
        return frozenset(result)

    def _part(self, carried: Taint, parameter: str, part: str) -> Taint:
        """Return what `part` (`error`, or its attribute, or for one class) of the parameter's argument carries."""
        name, kind, attribute = split_name(part)
        if name != parameter:
            return NOTHING
        narrowed = narrow(carried, [kind]) if kind else carried
        return attribute_of(narrowed, attribute, self.facts) if attribute else narrowed

    def _unknown(self, call: cst.Call, qualified: str | None, names: Environment) -> Taint:
        """Call something that is not the project's."""
        last = last_name(call.func)
        receiver = self.evaluate(call.func.value, names) if isinstance(call.func, cst.Attribute) else NOTHING
        values = {id(value): self.evaluate(value, names) for value in passed_values(call)}
        arguments = bounded(NOTHING.union(*values.values()))
        self._made(call, qualified, values)
        if isinstance(call.func, cst.Name):
            if last == "getattr" and len(call.args) >= 2:
                return self._getattr(call, names) if arguments else NOTHING
            if last in SILENT:
                return NOTHING
            if last in MAKES_TEXT:
                return as_text(arguments)
        if isinstance(call.func, cst.Attribute):
            if last in LOGS and not receiver:
                return NOTHING
            if last in MUTATES and (root := _root(call.func.value)) is not None and arguments:
                self._mutate(root, call.func.value, as_text(arguments) if last == "write" else arguments, names)
                return NOTHING
            if last in {"format", "format_map", "join"}:
                return as_text(receiver | arguments)
            if receiver:
                maybe = of_kind(receiver, MAYBE)
                return attribute_of(receiver - maybe, last, self.facts) | maybe
        if is_error_class(qualified, self.facts.bases):
            return NOTHING
        is_class = last[:1].isupper() and any(letter.islower() for letter in last)
        return arguments if is_class or last in PASSES else NOTHING

    def _made(self, call: cst.Call, qualified: str | None, values: Mapping[int, Taint]) -> None:
        """Take each call of something that is not a function of the project, with what its arguments carry."""

    def _mutate(self, root: str, holder: cst.BaseExpression, carried: Taint, names: Environment) -> None:
        if root == "self" and isinstance(holder, cst.Attribute):
            name = holder.attr.value
            self.attributes[name] = self.attributes.get(name, NOTHING) | carried
        else:
            names[root] = names.get(root, NOTHING) | carried

    def _getattr(self, call: cst.Call, names: Environment) -> Taint:
        attribute = getattr_as_attribute(call)
        if attribute is not None:
            return self._attribute(attribute, names)
        return as_text(self.evaluate(call.args[0].value, names))

    def _send(self, node: cst.CSTNode, medium: str, carried: Taint) -> None:
        if of_kind(carried, *LEAKS, PARAMETER):
            self.report(node, medium, carried)


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


def _expressions_in(node: cst.CSTNode) -> list[cst.BaseExpression]:
    """Return the expressions right below a node, in order."""
    parts: list[cst.BaseExpression] = []
    waiting = children(node)
    while waiting:
        part = waiting.pop()
        if isinstance(part, cst.BaseExpression):
            parts.append(part)
        elif not isinstance(part, cst.BaseBinaryOp | cst.BaseCompOp | cst.BaseUnaryOp):
            waiting += children(part)
    return parts


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


def _root(expression: cst.BaseExpression) -> str | None:
    while isinstance(expression, cst.Attribute | cst.Subscript | cst.Call):
        expression = expression.func if isinstance(expression, cst.Call) else expression.value
    return expression.value if isinstance(expression, cst.Name) else None


def _kinds(kind: cst.BaseExpression) -> list[cst.BaseExpression]:
    if isinstance(kind, cst.BinaryOperation):
        return [*_kinds(kind.left), *_kinds(kind.right)]
    return (elements(kind) or []) if isinstance(kind, cst.Tuple) else [kind]
