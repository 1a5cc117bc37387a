"""Follows one function from its first statement to its last, with what each name carries."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..nodes import FUNCTIONS, FunctionNode, parameters, passed_values
from .attributes import attribute_of, narrow
from .expressions import Environment, Expressions
from .module import is_error_class, passed
from .sinks import handled_by_decorator, is_route
from .sources import annotation_of, handles_by_parameters, own_parameters
from .values import EXCEPTION, LEAKS, NOTHING, PARAMETER, Origin, Taint, as_text, bounded, conditions, of_kind


@dataclass(frozen=True, slots=True, order=True)
class Fill:
    """A raise site that hands text of one exception to another: the class, the parameter (or `#position`), the line,
    and `condition`: the attribute (`class#attribute`) that must be raw, if another module may define its class."""

    kind: str
    parameter: str
    line: int
    condition: str


@dataclass
class FunctionFlow(Expressions):
    """Follows one function. `streams` are the generators of the module that are streamed to a client; `summarising`
    lets each parameter carry itself. `returned`, `yielded` and `fills` are the result."""

    streams: frozenset[str] = frozenset()
    summarising: bool = False
    returned: Taint = NOTHING
    yielded: Taint = NOTHING
    fills: list[Fill] = field(default_factory=list)
    sends_result: bool = False
    sends_yields: bool = False

    def follow(self, function: FunctionNode, names: Environment) -> None:
        """Follow the body. `names` is what the names around the function carry; it does not change."""
        self.parameters = frozenset(parameters(function)) | self.parameters
        self.sends_result = is_route(function)
        self.sends_yields = function.name in self.streams
        inner = dict(names)
        for name in parameters(function):
            inner[name] = frozenset({Origin(PARAMETER, name, function.lineno)}) if self.summarising else NOTHING
        inner |= self._handled_error(function)
        if self.class_name is not None and is_error_class(f"{self.module.name}.{self.class_name}", self.facts.bases):
            inner["self"] = frozenset({Origin(EXCEPTION, f"{self.module.name}.{self.class_name}", function.lineno)})
        self.block(function.body, inner)

    def block(self, body: Iterable[ast.stmt], names: Environment) -> bool:
        """Follow statements. Return whether they leave (return, raise, break, continue) at their end."""
        return any(self._statement(statement, names) for statement in body)

    def _handled_error(self, function: FunctionNode) -> Environment:
        """Return the parameter that holds the exception, if the function is a handler."""
        names = own_parameters(function)
        middle = f"{self.class_name}." if self.class_name else ""
        kind: str | None = None
        if (expression := handled_by_decorator(function)) is not None:
            kind = self.error_name(expression)
        elif (registered := self.facts.handlers.get(f"{self.module.name}.{middle}{function.name}")) is not None:
            kind = registered
        elif handles_by_parameters(function):
            kind = ""
        if kind is None or len(names) < 2:
            return {}
        kind = kind or self.error_name(annotation_of(function, names[1]))
        return {names[1]: frozenset({Origin(EXCEPTION, kind, function.lineno)})}

    def _statement(self, node: ast.stmt, names: Environment) -> bool:  # noqa: PLR0912 - an arm for each form
        """Follow a statement. Return whether it leaves."""
        match node:
            case ast.Return(value=value):
                carried = self.evaluate(value, names)
                self.returned |= carried
                if self.sends_result and value is not None:
                    self._send(node, "a route's reply", carried)
                return True
            case ast.Raise():
                self._raise(node, names)
                return True
            case ast.Continue() | ast.Break():
                return True
            case ast.Assign(targets=targets, value=value):
                carried = self.evaluate(value, names)
                for target in targets:
                    self.bind(target, carried, names, value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self.bind(target, self.evaluate(value, names), names, value)
            case ast.AugAssign(target=target, value=value):
                carried = self.evaluate(value, names) | self.evaluate(target, names)
                self.bind(target, as_text(carried), names)
            case ast.Expr(value=value):
                self.evaluate(value, names)
            case ast.Assert(test=test, msg=text):
                self.evaluate(test, names)
                self.evaluate(text, names)
                names.update(self.narrowed(test, names)[0])
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        names.pop(target.id, None)
            case _:
                return self._compound(node, names)
        return False

    def _compound(self, node: ast.stmt, names: Environment) -> bool:
        match node:
            case ast.If(test=test, body=body, orelse=orelse):
                self.evaluate(test, names)
                return self._branches(test, body, orelse, names)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._loop(node, names)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    carried = self.evaluate(item.context_expr, names)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, carried, names)
                return self.block(body, names)
            case ast.Try() | ast.TryStar():
                return self._try(node, names)
            case ast.Match(subject=subject, cases=cases):
                self._match(subject, cases, names)
            case _ if isinstance(node, FUNCTIONS):
                self._nested(node, names)
        return False

    def _raise(self, node: ast.Raise, names: Environment) -> None:
        self.evaluate(node.exc, names)
        self.evaluate(node.cause, names)
        if isinstance(node.exc, ast.Call):
            kind = self.module.called(node.exc)
            if not is_error_class(kind, self.facts.bases):  # else `_made` has noted them
                values = {id(value): self.evaluate(value, names) for value in passed_values(node.exc)}
                self._note_fills(node.exc, kind, values)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, names: Environment) -> None:
        for _ in range(2):  # what the first pass leaves in a name, the second may send
            before = dict(names)
            if isinstance(node, ast.While):
                self.evaluate(node.test, names)
            else:
                self.bind(node.target, self.evaluate(node.iter, names), names)
            inner = dict(names)
            self.block(node.body, inner)
            _become(names, [dict(names), inner])
            if all(carried <= before.get(name, NOTHING) for name, carried in names.items()):
                break
        self.block(node.orelse, names)

    def _branches(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], names: Environment) -> bool:
        if_true, if_false = self.narrowed(test, names)
        left = self.block(body, if_true)
        left_otherwise = self.block(orelse, if_false)
        ends = [end for end, leaves in ((if_true, left), (if_false, left_otherwise)) if not leaves]
        _become(names, ends or [if_true, if_false])
        return left and left_otherwise

    def _try(self, node: ast.Try | ast.TryStar, names: Environment) -> bool:
        before = dict(names)
        left = self.block(node.body, names)
        ends = [] if left else [dict(names)]
        broken = dict(before)
        for key, carried in names.items():
            broken[key] = broken.get(key, NOTHING) | carried
        everything_left = left
        for handler in node.handlers:
            inner = dict(broken)
            if handler.name is not None:
                inner[handler.name] = self._caught(handler)
            leaves = self.block(handler.body, inner)
            if handler.name is not None:
                inner.pop(handler.name, None)
            everything_left = everything_left and leaves
            if not leaves:
                ends.append(inner)
        _become(names, ends or [dict(broken)])
        if not left:
            self.block(node.orelse, names)
        return self.block(node.finalbody, names) or everything_left

    def _caught(self, handler: ast.ExceptHandler) -> Taint:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = [self.error_name(kind) for kind in kinds if kind is not None] or [""]
        return frozenset(Origin(EXCEPTION, name, handler.lineno) for name in names)

    def _match(self, subject: ast.expr, cases: list[ast.match_case], names: Environment) -> None:
        carried = self.evaluate(subject, names)
        ends = [dict(names)]
        for case in cases:
            inner = dict(names)
            narrowed = self._captured(case.pattern, carried, inner)
            if isinstance(subject, ast.Name):
                inner[subject.id] = narrowed
            if case.guard is not None:
                self.evaluate(case.guard, inner)
            self.block(case.body, inner)
            ends.append(inner)
        _become(names, ends)

    def _captured(self, pattern: ast.pattern, carried: Taint, names: Environment) -> Taint:
        """Bind what the pattern captures of a value. Return what the value carries if the pattern fits."""
        match pattern:
            case ast.MatchAs(pattern=inner, name=name):
                narrowed = carried if inner is None else self._captured(inner, carried, names)
                if name is not None:
                    names[name] = narrowed
                return narrowed
            case ast.MatchClass(cls=kind, patterns=positional, kwd_attrs=attributes, kwd_patterns=patterns):
                if is_error_class(self.module.qualified(kind), self.facts.bases):
                    carried = narrow(carried, [self.error_name(kind)])
                for attribute, part in zip(attributes, patterns, strict=True):
                    self._captured(part, attribute_of(carried, attribute, self.facts), names)
                for part in positional:
                    self._captured(part, as_text(carried), names)
            case ast.MatchOr(patterns=patterns):
                return NOTHING.union(*(self._captured(part, carried, names) for part in patterns))
            case ast.MatchSequence(patterns=patterns) | ast.MatchMapping(patterns=patterns):
                for part in patterns:
                    self._captured(part, as_text(carried), names)
                if isinstance(pattern, ast.MatchMapping) and pattern.rest is not None:
                    names[pattern.rest] = as_text(carried)
            case ast.MatchStar(name=str(name)):
                names[name] = as_text(carried)
        return carried

    def _nested(self, node: FunctionNode, names: Environment) -> None:
        """Follow a function in the function, with what the names around it carry where it is defined."""
        inner = FunctionFlow(
            self.module,
            self.facts,
            self.sanitizers,
            self.report,
            self.parameters,
            self.attributes,
            self.class_name,
            streams=self.streams,
        )
        inner.follow(node, {key: of_kind(carried, *LEAKS) for key, carried in names.items()})
        self.fills += inner.fills

    def _yielded(self, node: ast.Yield, carried: Taint) -> Taint:
        self.yielded |= carried
        if self.sends_yields:
            self._send(node, "an event stream", carried)
        return NOTHING

    def _made(self, call: ast.Call, qualified: str | None, values: Mapping[int, Taint]) -> None:
        if is_error_class(qualified, self.facts.bases):
            self._note_fills(call, qualified, values)

    def _note_fills(self, call: ast.Call, qualified: str | None, values: Mapping[int, Taint]) -> None:
        """Note which arguments hand the text of one exception to another."""
        numbered = [(f"#{position}", value) for position, value in enumerate(call.args)]
        for name, value in (*numbered, *passed(call, ())):
            if qualified is not None and (leaks := of_kind(values[id(value)], *LEAKS)):
                self.fills += [
                    Fill(qualified, name, call.lineno, condition) for condition in conditions(leaks) or ("",)
                ]


def _become(names: Environment, ends: list[Environment]) -> None:
    """Set `names` to what they carry after one of several ends."""
    merged: Environment = {}
    for end in ends:
        for key, carried in end.items():
            merged[key] = bounded(merged[key] | carried) if key in merged else carried
    names.clear()
    names.update(merged)
