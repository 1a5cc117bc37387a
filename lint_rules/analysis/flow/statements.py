"""Follows one function from its first statement to its last, with what each name carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import libcst as cst

from ..syntax import (
    Function,
    Statement,
    annotation_of,
    elements,
    parameter_names,
    parameters,
    passed_values,
    statements,
)
from .attributes import attribute_of, narrow
from .expressions import Environment, Expressions
from .module import is_error_class, passed
from .receivers import Receivers
from .registrations import error_parameter, handled_by_decorator, is_route
from .sources import handles_by_parameters, own_parameters
from .values import EXCEPTION, LEAKS, NOTHING, PARAMETER, Origin, Taint, as_text, bounded, conditions, of_kind


@dataclass(frozen=True, slots=True, order=True)
class Fill:
    """A raise site that hands text of one exception to another: the class, the parameter (or `#position`), the place,
    and `condition`: the attribute (`class#attribute`) that must be raw, if another module may define its class."""

    kind: str
    parameter: str
    place: int
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
    is_nested: bool = False

    def follow(self, function: Function, names: Environment) -> None:
        """Follow the body. `names` is what the names around the function carry; it does not change."""
        self.parameters = frozenset(parameter_names(function)) | self.parameters
        outer = self.objects
        self.objects = Receivers(self.module, self.facts.bases, function, self.class_name, outer)
        self.sends_result = self._sends_result(function)
        self.sends_yields = function.name.value in self.streams
        inner = dict(names)
        for name in parameter_names(function):
            inner[name] = frozenset({Origin(PARAMETER, name, 0)}) if self.summarising else NOTHING
        inner |= self._handled_error(function)
        if self.class_name is not None and is_error_class(f"{self.module.name}.{self.class_name}", self.facts.bases):
            inner["self"] = self._error(f"{self.module.name}.{self.class_name}", function)
        self.block(statements(function.body), inner)

    def block(self, body: Iterable[Statement], names: Environment) -> bool:
        """Follow statements. Return whether they leave (return, raise, break, continue) at their end."""
        return any(self._statement(statement, names) for statement in body)

    def _handled_error(self, function: Function) -> Environment:
        """Return the parameter that holds the exception, if the function is a handler."""
        names = own_parameters(function)
        kind: str | None = None
        rest = function.params.star_kwarg
        if function.name.value == "write_error" and rest is not None:
            return {rest.name.value: self._error("", function)}
        if (expression := handled_by_decorator(function, self.module)) is not None:
            kind = self.error_name(expression)
        elif (registered := self.facts.handlers.get(self._name_of(function))) is not None:
            kind = registered
        elif handles_by_parameters(function):
            kind = ""
        required = sum(item.default is None and item.name.value in names for item in parameters(function))
        name = None if kind is None else error_parameter(names, required)
        if name is None:
            return {}
        kind = kind or self.error_name(annotation_of(function, name))
        return {name: self._error(kind, function)}

    def _sends_result(self, function: Function) -> bool:
        """Return whether what the function returns is sent: it is a route, or a method of a view."""
        owner = f"{self.module.name}.{self.class_name}"
        table, bases = self.module.table, self.facts.bases
        return (
            is_route(function, self.module)
            or self._name_of(function) in self.facts.routes
            or self._name_of(function) in self.facts.handlers
            or handled_by_decorator(function, self.module) is not None
            or (self.class_name is not None and table.is_view(owner, function.name.value, bases))
        )

    def _name_of(self, function: Function) -> str:
        middle = f"{self.class_name}." if self.class_name and not self.is_nested else ""
        return f"{self.module.name}.{middle}{function.name.value}"

    def _without_authored(self, carried: Taint) -> Taint:
        """Leave out exceptions that are responses themselves."""
        return frozenset(
            origin
            for origin in carried
            if origin.kind != EXCEPTION or not origin.name or not self.facts.is_authored(origin.name)
        )

    def _error(self, kind: str, node: cst.CSTNode) -> Taint:
        return frozenset({Origin(EXCEPTION, kind, self.places.number(node))})

    def _statement(self, node: Statement, names: Environment) -> bool:  # noqa: PLR0912 - an arm for each form
        """Follow a statement. Return whether it leaves."""
        match node:
            case cst.Return(value=value):
                carried = self.evaluate(value, names)
                self.returned |= carried
                if self.sends_result and value is not None:
                    self._send(node, "a route's reply", self._without_authored(carried))
                return True
            case cst.Raise():
                self._raise(node, names)
                return True
            case cst.Continue() | cst.Break():
                return True
            case cst.Assign(targets=targets, value=value):
                carried = self.evaluate(value, names)
                for target in targets:
                    self.bind(target.target, carried, names, value)
            case cst.AnnAssign(target=target, value=value) if value is not None:
                self.bind(target, self.evaluate(value, names), names, value)
            case cst.AugAssign(target=target, value=value):
                carried = self.evaluate(value, names) | self.evaluate(target, names)
                self.bind(target, as_text(carried), names)
            case cst.Expr(value=value):
                self.evaluate(value, names)
            case cst.Assert(test=test, msg=text):
                self.evaluate(test, names)
                self.evaluate(text, names)
                names.update(self.narrowed(test, names)[0])
            case cst.Del(target=target):
                for name in elements(target) or [target]:
                    if isinstance(name, cst.Name):
                        names.pop(name.value, None)
            case _:
                return self._compound(node, names)
        return False

    def _compound(self, node: Statement, names: Environment) -> bool:
        match node:
            case cst.If(test=test):
                self.evaluate(test, names)
                return self._branches(node, names)
            case cst.For() | cst.While():
                self._loop(node, names)
            case cst.With(items=items, body=body):
                for item in items:
                    carried = self.evaluate(item.item, names)
                    if item.asname is not None:
                        self.bind(item.asname.name, carried, names)
                return self.block(statements(body), names)
            case cst.Try() | cst.TryStar():
                return self._try(node, names)
            case cst.Match():
                self._match(node, names)
            case cst.FunctionDef():
                self._nested(node, names)
        return False

    def _raise(self, node: cst.Raise, names: Environment) -> None:
        self.evaluate(node.exc, names)
        if node.cause is not None:
            self.evaluate(node.cause.item, names)
        if isinstance(node.exc, cst.Call):
            kind = self.module.called(node.exc)
            if not is_error_class(kind, self.facts.bases):  # else `_made` has noted them
                values = {id(value): self.evaluate(value, names) for value in passed_values(node.exc)}
                self._note_fills(node.exc, kind, values)

    def _loop(self, node: cst.For | cst.While, names: Environment) -> None:
        for _ in range(2):  # what the first pass leaves in a name, the second may send
            before = dict(names)
            if isinstance(node, cst.While):
                self.evaluate(node.test, names)
            else:
                self.bind(node.target, self.evaluate(node.iter, names), names)
            inner = dict(names)
            self.block(statements(node.body), inner)
            _become(names, [dict(names), inner])
            if all(carried <= before.get(name, NOTHING) for name, carried in names.items()):
                break
        self.block(statements(node.orelse), names)

    def _branches(self, node: cst.If, names: Environment) -> bool:
        if_true, if_false = self.narrowed(node.test, names)
        left = self.block(statements(node.body), if_true)
        otherwise = [node.orelse] if isinstance(node.orelse, cst.If) else statements(node.orelse)
        left_otherwise = self.block(otherwise, if_false)
        ends = [end for end, leaves in ((if_true, left), (if_false, left_otherwise)) if not leaves]
        _become(names, ends or [if_true, if_false])
        return left and left_otherwise

    def _try(self, node: cst.Try | cst.TryStar, names: Environment) -> bool:
        before = dict(names)
        left = self.block(statements(node.body), names)
        ends = [] if left else [dict(names)]
        broken = dict(before)
        for key, carried in names.items():
            broken[key] = broken.get(key, NOTHING) | carried
        everything_left = left
        for handler in node.handlers:
            inner = dict(broken)
            name = handler.name.name.value if handler.name and isinstance(handler.name.name, cst.Name) else None
            if name is not None:
                inner[name] = self._caught(handler)
            leaves = self.block(statements(handler.body), inner)
            if name is not None:
                inner.pop(name, None)
            everything_left = everything_left and leaves
            if not leaves:
                ends.append(inner)
        _become(names, ends or [dict(broken)])
        if not left:
            self.block(statements(node.orelse), names)
        return self.block(statements(node.finalbody), names) or everything_left

    def _caught(self, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> Taint:
        kinds = (elements(handler.type) or [handler.type]) if handler.type is not None else []
        names = [self.error_name(kind) for kind in kinds] or [""]
        return NOTHING.union(*(self._error(name, handler) for name in names))

    def _match(self, node: cst.Match, names: Environment) -> None:
        carried = self.evaluate(node.subject, names)
        ends = [dict(names)]
        for case in node.cases:
            inner = dict(names)
            narrowed = self._captured(case.pattern, carried, inner)
            if isinstance(node.subject, cst.Name):
                inner[node.subject.value] = narrowed
            if case.guard is not None:
                self.evaluate(case.guard, inner)
            self.block(statements(case.body), inner)
            ends.append(inner)
        _become(names, ends)

    def _captured(self, pattern: cst.CSTNode, carried: Taint, names: Environment) -> Taint:
        """Bind what the pattern captures of a value. Return what the value carries if the pattern fits."""
        match pattern:
            case cst.MatchAs(pattern=inner, name=name):
                narrowed = carried if inner is None else self._captured(inner, carried, names)
                if name is not None:
                    names[name.value] = narrowed
                return narrowed
            case cst.MatchClass(cls=kind, patterns=items, kwds=keywords):
                if is_error_class(self.module.qualified(kind), self.facts.bases):
                    carried = narrow(carried, [self.error_name(kind)])
                for keyword in keywords:
                    self._captured(keyword.pattern, attribute_of(carried, keyword.key.value, self.facts), names)
                self._capture_parts(items, carried, names)
            case cst.MatchOr(patterns=patterns):
                return NOTHING.union(*(self._captured(part.pattern, carried, names) for part in patterns))
            case cst.MatchList(patterns=items) | cst.MatchTuple(patterns=items):
                self._capture_parts(items, carried, names)
            case cst.MatchMapping(elements=pairs, rest=rest):
                for pair in pairs:
                    self._captured(pair.pattern, as_text(carried), names)
                if rest is not None:
                    names[rest.value] = as_text(carried)
            case cst.MatchStar(name=cst.Name(value=name)):
                names[name] = as_text(carried)
        return carried

    def _capture_parts(
        self, items: Iterable[cst.MatchSequenceElement | cst.MatchStar], carried: Taint, names: Environment
    ) -> None:
        for item in items:
            part = item if isinstance(item, cst.MatchStar) else item.value
            self._captured(part, as_text(carried), names)

    def _nested(self, node: Function, names: Environment) -> None:
        """Follow a function in the function, with what the names around it carry where it is defined."""
        inner = FunctionFlow(
            self.module,
            self.facts,
            self.sanitizers,
            self.report,
            self.places,
            self.parameters,
            self.attributes,
            self.class_name,
            streams=self.streams,
        )
        inner.objects = self.objects
        inner.is_nested = True
        inner.follow(node, {key: of_kind(carried, *LEAKS) for key, carried in names.items()})
        self.fills += inner.fills

    def _yielded(self, node: cst.Yield, carried: Taint) -> Taint:
        self.yielded |= carried
        if self.sends_yields:
            self._send(node, "an event stream", carried)
        return NOTHING

    def _made(self, call: cst.Call, qualified: str | None, values: Mapping[int, Taint]) -> None:
        if is_error_class(qualified, self.facts.bases):
            self._note_fills(call, qualified, values)

    def _note_fills(self, call: cst.Call, qualified: str | None, values: Mapping[int, Taint]) -> None:
        """Note which arguments hand the text of one exception to another."""
        unnamed = (item.value for item in call.args if item.keyword is None and item.star != "**")
        numbered = [(f"#{position}", value) for position, value in enumerate(unnamed)]
        for name, value in (*numbered, *passed(call, ())):
            if qualified is not None and (leaks := of_kind(values[id(value)], *LEAKS)):
                place = self.places.number(call)
                self.fills += [Fill(qualified, name, place, condition) for condition in conditions(leaks) or ("",)]


def _become(names: Environment, ends: list[Environment]) -> None:
    """Set `names` to what they carry after one of several ends."""
    merged: Environment = {}
    for end in ends:
        for key, carried in end.items():
            merged[key] = bounded(merged[key] | carried) if key in merged else carried
    names.clear()
    names.update(merged)
