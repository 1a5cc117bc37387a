"""Follows one function from its first statement to its last, with what each name carries."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .expressions import Environment, Expressions
from .module import FunctionNode, is_error_class, parameters, passed
from .sinks import handled_by_decorator, is_route
from .sources import handed_by_name
from .values import EXCEPTION, LEAKS, NOTHING, PARAMETER, Origin, Taint, as_text, few, only, unless_safe

_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


@dataclass
class FunctionFlow(Expressions):
    """One function. `returned` and `yielded` are what came out of it; `fills` are the raise sites that hand text of
    an exception to another one: class, parameter (or `#position`), line, and `class#attribute` where the text is an
    attribute of a class that another module may define."""

    streams: frozenset[str] = frozenset()
    returned: Taint = NOTHING
    yielded: Taint = NOTHING
    fills: list[tuple[str, str, int, str]] = field(default_factory=list)
    sends_result: bool = False
    sends_yields: bool = False
    summarising: bool = False

    def run(self, function: FunctionNode, names: Environment) -> None:
        """Follow the body. `names` holds what the names around the function carry, and is not changed."""
        self.parameters = frozenset(parameters(function)) | self.parameters
        self.sends_result = is_route(function)
        self.sends_yields = function.name in self.streams
        inner = dict(names)
        for name in parameters(function):
            inner[name] = frozenset({Origin(PARAMETER, name, function.lineno)}) if self.summarising else NOTHING
        inner |= self._handled(function)
        if self.class_name is not None and is_error_class(f"{self.module.name}.{self.class_name}", self.facts.bases):
            inner["self"] = frozenset({Origin(EXCEPTION, f"{self.module.name}.{self.class_name}", function.lineno)})
        self.block(function.body, inner)

    def _handled(self, function: FunctionNode) -> Environment:
        """The exception that a handler is given, as its parameter."""
        named = [one for one in parameters(function) if one not in {"self", "cls"}]
        kind: str | None = None
        if (expression := handled_by_decorator(function)) is not None:
            kind = self.error_name(expression)
        elif (registered := self.facts.handlers.get(self._qualified_name(function))) is not None:
            kind = registered
        elif handed_by_name(function):
            kind = ""
        if kind is None or len(named) < 2:
            return {}
        annotation = next((one.annotation for one in function.args.args if one.arg == named[1]), None)
        known = self.error_name(annotation) if annotation is not None and not kind else kind
        return {named[1]: frozenset({Origin(EXCEPTION, known or "", function.lineno)})}

    def _qualified_name(self, function: FunctionNode) -> str:
        middle = f"{self.class_name}." if self.class_name else ""
        return f"{self.module.name}.{middle}{function.name}"

    # Statements

    def block(self, body: Iterable[ast.stmt], names: Environment) -> bool:
        """Follow statements; whether they leave (return, raise, break, continue) at their end."""
        return any(self._statement(statement, names) for statement in body)

    def _statement(self, node: ast.stmt, names: Environment) -> bool:  # noqa: PLR0912, PLR0915 - one arm a statement
        match node:
            case ast.Return(value=value):
                carried = self.evaluate(value, names)
                self.returned |= carried
                if self.sends_result and value is not None:
                    self._send(node, "a route's reply", carried)
                return True
            case ast.Raise(exc=exc, cause=cause):
                self.evaluate(exc, names)
                self.evaluate(cause, names)
                if isinstance(exc, ast.Call) and not is_error_class(self.module.called(exc), self.facts.bases):
                    given = [*exc.args, *(one.value for one in exc.keywords)]  # else the evaluation has noted them
                    self._note_fills(
                        exc, self.module.called(exc), {id(one): self.evaluate(one, names) for one in given}
                    )
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
                held, _ = self.narrowed(test, names)
                names.update(held)
            case ast.If(test=test, body=body, orelse=orelse):
                self.evaluate(test, names)
                return self._branches(test, body, orelse, names)
            case ast.For(target=target, iter=iterable) | ast.AsyncFor(target=target, iter=iterable):
                for _ in range(2):  # what one round leaves in a name, the next may send
                    before = dict(names)
                    self.bind(target, self.evaluate(iterable, names), names)
                    self._merged([node.body], names)
                    if _brought_nothing(before, names):
                        break
                self.block(node.orelse, names)
            case ast.While(test=test, body=body, orelse=orelse):
                for _ in range(2):
                    before = dict(names)
                    self.evaluate(test, names)
                    self._merged([body], names)
                    if _brought_nothing(before, names):
                        break
                self.block(orelse, names)
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
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._nested(node, names)
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        names.pop(target.id, None)
            case _ if isinstance(node, _LEAVES):
                return True
        return False

    def _branches(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], names: Environment) -> bool:
        yes, no = self.narrowed(test, names)
        left = self.block(body, yes)
        left_otherwise = self.block(orelse, no)
        after = [one for one, leaves in ((yes, left), (no, left_otherwise)) if not leaves]
        _become(names, after or [yes, no])
        return left and left_otherwise

    def _merged(self, bodies: list[list[ast.stmt]], names: Environment) -> None:
        """Each body, or nothing of them."""
        ends = [dict(names)]
        for body in bodies:
            inner = dict(names)
            self.block(body, inner)
            ends.append(inner)
        _become(names, ends)

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
        return frozenset(
            Origin(EXCEPTION, self.error_name(one), handler.lineno) for one in kinds if one is not None
        ) or frozenset({Origin(EXCEPTION, "", handler.lineno)})

    def _match(self, subject: ast.expr, cases: list[ast.match_case], names: Environment) -> None:
        carried = self.evaluate(subject, names)
        ends = [dict(names)]
        for case in cases:
            inner = dict(names)
            seen = self._captured(case.pattern, carried, inner)
            if isinstance(subject, ast.Name):
                inner[subject.id] = seen
            if case.guard is not None:
                self.evaluate(case.guard, inner)
            self.block(case.body, inner)
            ends.append(inner)
        _become(names, ends)

    def _captured(self, pattern: ast.pattern, carried: Taint, names: Environment) -> Taint:
        """Bind what the pattern captures of a value; what is known of the value where the pattern fits."""
        match pattern:
            case ast.MatchAs(pattern=inner, name=name):
                seen = carried if inner is None else self._captured(inner, carried, names)
                if name is not None:
                    names[name] = seen
                return seen
            case ast.MatchClass(cls=kind, patterns=positional, kwd_attrs=attributes, kwd_patterns=patterns):
                if is_error_class(self.module.qualified(kind), self.facts.bases):
                    carried = self.seen_as([self.error_name(kind)], carried)
                for attribute, one in zip(attributes, patterns, strict=True):
                    self._captured(one, self._attributes(carried, attribute), names)
                for one in positional:
                    self._captured(one, as_text(carried), names)
            case ast.MatchOr(patterns=patterns):
                return NOTHING.union(*(self._captured(one, carried, names) for one in patterns))
            case ast.MatchSequence(patterns=patterns) | ast.MatchMapping(patterns=patterns):
                for one in patterns:
                    self._captured(one, as_text(carried), names)
                if isinstance(pattern, ast.MatchMapping) and pattern.rest is not None:
                    names[pattern.rest] = as_text(carried)
            case ast.MatchStar(name=str(name)):
                names[name] = as_text(carried)
        return carried

    def _nested(self, node: FunctionNode, names: Environment) -> None:
        """A function in the function: it sees what the names around it carry where it is made."""
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
        inner.run(node, {key: only(carried, *LEAKS) for key, carried in names.items()})
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
        """Which arguments hand the text of one exception to another."""
        numbered = [(f"#{position}", value) for position, value in enumerate(call.args)]
        for name, value in (*numbered, *passed(call, ())):
            if qualified is not None and (leaks := only(values[id(value)], *LEAKS)):
                self.fills += [(qualified, name, call.lineno, unless) for unless in unless_safe(leaks) or ("",)]


def _brought_nothing(before: Environment, after: Environment) -> bool:
    return all(carried <= before.get(name, NOTHING) for name, carried in after.items())


def _become(names: Environment, ends: list[Environment]) -> None:
    merged: Environment = {}
    for end in ends:
        for key, carried in end.items():
            merged[key] = few(merged[key] | carried) if key in merged else carried
    names.clear()
    names.update(merged)
