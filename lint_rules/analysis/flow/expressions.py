"""Evaluates what an expression's value carries in one function, with what its names carry at that point."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ...tables.python_calls import LOGS, MAKES_TEXT, MUTATES, PASSES, SILENT
from ...tables.web_frameworks import EVENTS
from ..nodes import getattr_as_attribute, last_name, passed_values
from .attributes import attribute_of, narrow
from .facts import Facts, FunctionFacts
from .module import Module, is_error_class, passed
from .sinks import Sink, sink_of
from .sources import source_of
from .values import (
    ERROR,
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
Report = Callable[[ast.AST, str, Taint], None]
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
    parameters: frozenset[str] = frozenset()
    attributes: dict[str, Taint] = field(default_factory=dict)
    class_name: str | None = None
    depth: int = 0

    def evaluate(self, node: ast.expr | None, names: Environment) -> Taint:
        """Return what the value carries, and report the sinks in the expression."""
        if node is None or isinstance(node, ast.Constant | ast.Lambda) or self.depth > _DEEPEST:
            return NOTHING
        self.depth += 1
        try:
            return bounded(self._evaluate(node, names))
        finally:
            self.depth -= 1

    def _evaluate(self, node: ast.expr, names: Environment) -> Taint:
        match node:
            case ast.Name(id=name):
                return names.get(name, NOTHING)
            case ast.Attribute():
                return self._attribute(node, names)
            case ast.Call():
                return self._call(node, names)
            case ast.JoinedStr(values=values):
                return as_text(self._union(values, names))
            case ast.FormattedValue(value=value):
                return as_text(self.evaluate(value, names))
            case ast.BinOp(left=left, op=op, right=right):
                carried = self.evaluate(left, names) | self.evaluate(right, names)
                return as_text(carried) if isinstance(op, ast.Mod | ast.Add) else carried
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.evaluate(test, names)
                if_true, if_false = self.narrowed(test, names)
                return self.evaluate(body, if_true) | self.evaluate(orelse, if_false)
            case ast.Compare() | ast.UnaryOp():
                self._parts(node, names)
                return NOTHING
            case ast.Subscript(value=value, slice=index):
                self.evaluate(index, names)
                return self.evaluate(value, names)
            case ast.NamedExpr(target=target, value=value):
                names[target.id] = carried = self.evaluate(value, names)
                return carried
            case ast.Yield(value=value):
                return self._yielded(node, self.evaluate(value, names))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node, names)
        return self._parts(node, names)

    def _parts(self, node: ast.expr, names: Environment) -> Taint:
        return self._union([part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)], names)

    def _union(self, nodes: list[ast.expr], names: Environment) -> Taint:
        return frozenset().union(*(self.evaluate(node, names) for node in nodes))

    def _yielded(self, node: ast.Yield, carried: Taint) -> Taint:
        """Take what a generator yields; return what `yield` itself gives."""
        return NOTHING

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, names: Environment
    ) -> Taint:
        inner = dict(names)
        for generator in node.generators:
            self.bind(generator.target, self.evaluate(generator.iter, inner), inner)
            for test in generator.ifs:
                self.evaluate(test, inner)
                inner, _ = self.narrowed(test, inner)
        if isinstance(node, ast.DictComp):
            return self.evaluate(node.key, inner) | self.evaluate(node.value, inner)
        return self.evaluate(node.elt, inner)

    def bind(self, target: ast.expr, carried: Taint, names: Environment, value: ast.expr | None = None) -> None:
        """Give a target what a value carries."""
        match target:
            case ast.Name(id=name):
                names[name] = carried
            case ast.Starred(value=inner):
                self.bind(inner, carried, names)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                self._unpack(elements, carried, names, value)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                self.attributes[name] = self.attributes.get(name, NOTHING) | carried
            case ast.Attribute(value=holder) | ast.Subscript(value=holder):
                self._report_assigned(target, carried)
                root = _root(holder)
                if root is not None and carried:
                    names[root] = names.get(root, NOTHING) | carried

    def _unpack(self, elements: list[ast.expr], carried: Taint, names: Environment, value: ast.expr | None) -> None:
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(elements):
            parts = [self.evaluate(part, names) if carried else NOTHING for part in value.elts]
            for element, carried_part, part in zip(elements, parts, value.elts, strict=True):
                self.bind(element, carried_part, names, part)
            return
        process = of_kind(carried, PROCESS)
        stderr = frozenset(Origin(ERROR, "the process's stderr", origin.line) for origin in process)
        for index, element in enumerate(elements):
            self.bind(element, (carried - process) | (stderr if index == 1 else NOTHING), names)

    def _report_assigned(self, target: ast.Attribute | ast.Subscript, carried: Taint) -> None:
        """Report `response.body = …` and `response.headers[…] = …`."""
        if not carried or (_root(target) or "").lower() not in {"response", "resp"}:
            return
        first, _, rest = ast.unparse(target).partition(".")
        if first.lower() in {"response", "resp"} and rest.partition("[")[0] in {"headers", "body", "content"}:
            self._send(target, "a response", carried)

    def narrowed(self, test: ast.expr, names: Environment) -> tuple[Environment, Environment]:
        """Return what the names carry if the test is true, and if it is false."""
        if_true, if_false = dict(names), dict(names)
        negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        inner = test.operand if isinstance(test, ast.UnaryOp) and negated else test
        parts = inner.values if isinstance(inner, ast.BoolOp) and isinstance(inner.op, ast.And) else [inner]
        for part in parts:
            match part:
                case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kind]):
                    kinds = _kinds(kind)
                    if all(is_error_class(self.module.qualified(error), self.facts.bases) for error in kinds):
                        carried = names.get(name, NOTHING)
                        if_true[name] = narrow(carried, [self.error_name(error) for error in kinds])
                        if len(parts) == 1:
                            if_false[name] = carried - of_kind(carried, MAYBE)
        return (if_false, if_true) if negated else (if_true, if_false)

    def error_name(self, expression: ast.expr | None) -> str:
        """Return the qualified name of an exception class; empty for one that says nothing."""
        qualified = self.module.qualified(expression) if expression is not None else None
        return "" if qualified is None or qualified in {"Exception", "BaseException"} else qualified

    def _attribute(self, node: ast.Attribute, names: Environment) -> Taint:
        carried = attribute_of(self.evaluate(node.value, names), node.attr, self.facts)
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return carried | self.attributes.get(node.attr, NOTHING)
        return carried

    def _call(self, call: ast.Call, names: Environment) -> Taint:
        qualified = self.module.called(call)
        if qualified is not None and (qualified in self.sanitizers or last_name(call.func) in self.sanitizers):
            self._union(passed_values(call), names)
            return NOTHING
        if (source := source_of(call, qualified)) is not None:
            self._union(passed_values(call), names)
            return source
        sink = sink_of(call, qualified, self.facts.is_response(qualified), self.parameters)
        if sink is None and self.facts.is_refusal(qualified):
            sink = Sink(tuple(passed_values(call)), "an error response")
        if sink is not None:
            values = {id(value): self.evaluate(value, names) for value in passed_values(call)}
            sent = bounded(NOTHING.union(*(values[id(value)] for value in sink.values)))
            self._send(call, sink.medium, sent)
            return of_kind(sent, PARAMETER) if qualified not in EVENTS else sent
        function = self._function(call, qualified)
        if function is not None:
            return self._through(call, function, names)
        return self._unknown(call, qualified, names)

    def _function(self, call: ast.Call, qualified: str | None) -> FunctionFacts | None:
        match call.func:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=method) if self.class_name is not None:
                return self.facts.functions.get(f"{self.module.name}.{self.class_name}.{method}")
        return self.facts.functions.get(qualified) if qualified is not None else None

    def _through(self, call: ast.Call, function: FunctionFacts, names: Environment) -> Taint:
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
            step = (function.path, sent_line, f"sent by {ast.unparse(call.func)}()")
            traced = (replace(origin, trace=(*origin.trace, step)[:LONGEST_TRACE]) for origin in sent)
            self._send(call, "a response", frozenset(traced))
        if function.error is not None:
            source = (function.path, *function.error)
            result.add(Origin(ERROR, f"the result of {ast.unparse(call.func)}()", call.lineno, (source,)))
        return frozenset(result)

    def _part(self, carried: Taint, parameter: str, part: str) -> Taint:
        """Return what `part` (`error`, or its attribute, or for one class) of the parameter's argument carries."""
        name, kind, attribute = split_name(part)
        if name != parameter:
            return NOTHING
        narrowed = narrow(carried, [kind]) if kind else carried
        return attribute_of(narrowed, attribute, self.facts) if attribute else narrowed

    def _unknown(self, call: ast.Call, qualified: str | None, names: Environment) -> Taint:
        """Call something that is not the project's."""
        last = last_name(call.func)
        receiver = self.evaluate(call.func.value, names) if isinstance(call.func, ast.Attribute) else NOTHING
        values = {id(value): self.evaluate(value, names) for value in passed_values(call)}
        arguments = bounded(NOTHING.union(*values.values()))
        self._made(call, qualified, values)
        if isinstance(call.func, ast.Name):
            if last == "getattr" and len(call.args) >= 2:
                return self._getattr(call, names) if arguments else NOTHING
            if last in SILENT:
                return NOTHING
            if last in MAKES_TEXT:
                return as_text(arguments)
        if isinstance(call.func, ast.Attribute):
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

    def _made(self, call: ast.Call, qualified: str | None, values: Mapping[int, Taint]) -> None:
        """Take each call of something that is not a function of the project, with what its arguments carry."""

    def _mutate(self, root: str, holder: ast.expr, carried: Taint, names: Environment) -> None:
        if root == "self" and isinstance(holder, ast.Attribute):
            self.attributes[holder.attr] = self.attributes.get(holder.attr, NOTHING) | carried
        else:
            names[root] = names.get(root, NOTHING) | carried

    def _getattr(self, call: ast.Call, names: Environment) -> Taint:
        attribute = getattr_as_attribute(call)
        if attribute is not None:
            return self._attribute(attribute, names)
        return as_text(self.evaluate(call.args[0], names))

    def _send(self, node: ast.AST, medium: str, carried: Taint) -> None:
        if of_kind(carried, *LEAKS, PARAMETER):
            self.report(node, medium, carried)


def _root(expression: ast.expr) -> str | None:
    while isinstance(expression, ast.Attribute | ast.Subscript | ast.Call):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    return expression.id if isinstance(expression, ast.Name) else None


def _kinds(kind: ast.expr) -> list[ast.expr]:
    if isinstance(kind, ast.BinOp):
        return [*_kinds(kind.left), *_kinds(kind.right)]
    return list(kind.elts) if isinstance(kind, ast.Tuple) else [kind]
