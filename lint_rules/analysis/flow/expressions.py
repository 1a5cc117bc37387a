"""What an expression's value carries, in one function, with what is known of its names at that point."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from .facts import Facts, FunctionFacts
from .module import Module, is_error_class, passed
from .sinks import EVENTS, Sink, sink_of
from .sources import source_of
from .values import (
    ALWAYS_RAW,
    AUTHORED_ATTRIBUTES,
    ERROR,
    EXCEPTION,
    LEAKS,
    LONGEST_WAY,
    MAYBE,
    NOTHING,
    PARAMETER,
    PROCESS,
    PROCESS_ATTRIBUTES,
    SAFE_ATTRIBUTES,
    Origin,
    Taint,
    as_text,
    few,
    only,
    parsed,
)

Environment = dict[str, Taint]
Report = Callable[[ast.AST, str, Taint], None]

_SILENT: Final = frozenset(
    {"isinstance", "issubclass", "len", "int", "bool", "float", "hash", "id", "any", "all", "type", "print",
     "callable",
     "hasattr", "sum", "range", "super", "vars_of"}
)  # fmt: skip
_MAKES_TEXT: Final = frozenset({"str", "repr", "format", "ascii", "bytes"})
_PASSES: Final = frozenset(
    {"dict", "list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "next", "enumerate", "zip", "map",
     "filter",
     "max", "min", "bytearray", "vars", "cast", "dumps", "dump", "jsonable_encoder", "escape", "quote", "quote_plus",
     "urlencode", "b64encode", "shorten", "indent", "dedent", "fill", "asdict", "deepcopy", "copy", "sub", "encode",
     "safe_dump", "to_thread", "wait_for", "shield", "model_validate", "construct", "replace", "join", "markupsafe",
     "Markup", "partial", "SimpleNamespace", "chain", "getLevelName", "pformat", "wrap"}
)  # fmt: skip
_MUTATES: Final = frozenset(
    {"append", "add", "update", "extend", "insert", "setdefault", "appendleft", "put", "put_nowait", "write"}
)
_LOGS: Final = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "capture_exception"}
)
_DEEPEST: Final = 60


@dataclass
class Expressions:
    """Evaluates expressions; a call that sends something raw is reported as it is met."""

    module: Module
    facts: Facts
    sanitizers: frozenset[str]
    report: Report
    parameters: frozenset[str] = frozenset()
    attributes: dict[str, Taint] = field(default_factory=dict)
    class_name: str | None = None
    depth: int = 0

    def evaluate(self, node: ast.expr | None, names: Environment) -> Taint:
        """What the value carries. Reports sinks in it."""
        if node is None or isinstance(node, ast.Constant | ast.Lambda):
            return NOTHING
        if self.depth > _DEEPEST:
            return NOTHING
        self.depth += 1
        try:
            return few(self._evaluate(node, names))
        finally:
            self.depth -= 1

    def _evaluate(self, node: ast.expr, names: Environment) -> Taint:  # noqa: PLR0912 - one arm a form
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
                found = self.evaluate(left, names) | self.evaluate(right, names)
                return as_text(found) if isinstance(op, ast.Mod | ast.Add) else found
            case ast.BoolOp(values=values):
                return self._union(values, names)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.evaluate(test, names)
                yes, no = self.narrowed(test, names)
                return self.evaluate(body, yes) | self.evaluate(orelse, no)
            case ast.Compare(left=left, comparators=others):
                self._union([left, *others], names)
                return NOTHING
            case ast.UnaryOp(operand=operand):
                self.evaluate(operand, names)
                return NOTHING
            case ast.Dict(keys=keys, values=values):
                return self._union([one for one in (*keys, *values) if one is not None], names)
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                return self._union(elements, names)
            case ast.Starred(value=value) | ast.Await(value=value) | ast.YieldFrom(value=value):
                return self.evaluate(value, names)
            case ast.Subscript(value=value, slice=index):
                self.evaluate(index, names)
                return self.evaluate(value, names)
            case ast.NamedExpr(target=target, value=value):
                names[target.id] = found = self.evaluate(value, names)
                return found
            case ast.Yield(value=value):
                return self._yielded(node, self.evaluate(value, names))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node, names)
        return self._union([one for one in ast.iter_child_nodes(node) if isinstance(one, ast.expr)], names)

    def _union(self, nodes: list[ast.expr], names: Environment) -> Taint:
        return frozenset().union(*(self.evaluate(one, names) for one in nodes))

    def _yielded(self, node: ast.Yield, carried: Taint) -> Taint:
        """What a generator yields; `Statements` says where it goes."""
        return NOTHING

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, names: Environment
    ) -> Taint:
        inner = dict(names)
        for one in node.generators:
            self.bind(one.target, self.evaluate(one.iter, inner), inner)
            for test in one.ifs:
                self.evaluate(test, inner)
                inner, _ = self.narrowed(test, inner)
        if isinstance(node, ast.DictComp):
            return self.evaluate(node.key, inner) | self.evaluate(node.value, inner)
        return self.evaluate(node.elt, inner)

    # Names

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
                self._sent_by_assignment(target, carried)
                root = _root(holder)
                if root is not None and carried:
                    names[root] = names.get(root, NOTHING) | carried

    def _unpack(self, elements: list[ast.expr], carried: Taint, names: Environment, value: ast.expr | None) -> None:
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(elements):
            parts = [self.evaluate(part, names) for part in value.elts] if carried else [NOTHING] * len(elements)
            for one, held, part in zip(elements, parts, value.elts, strict=True):
                self.bind(one, held, names, part)
            return
        process = only(carried, PROCESS)
        for index, one in enumerate(elements):
            errors = (
                frozenset(Origin(ERROR, "the process's stderr", it.line) for it in process) if index == 1 else NOTHING
            )
            self.bind(one, (carried - process) | errors, names)

    def _sent_by_assignment(self, target: ast.Attribute | ast.Subscript, carried: Taint) -> None:
        """`response.body = …`, `response.headers[…] = …`."""
        if not carried or (_root(target) or "").lower() not in {"response", "resp"}:
            return
        text = ast.unparse(target)
        first, _, rest = text.partition(".")
        if first.lower() in {"response", "resp"} and rest.partition("[")[0] in {"headers", "body", "content"}:
            self._send(target, "a response", carried)

    def narrowed(self, test: ast.expr, names: Environment) -> tuple[Environment, Environment]:
        """What the names carry where the test holds, and where it does not."""
        yes, no = dict(names), dict(names)
        negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        inner = test.operand if isinstance(test, ast.UnaryOp) and negated else test
        parts = inner.values if isinstance(inner, ast.BoolOp) and isinstance(inner.op, ast.And) else [inner]
        for part in parts:
            match part:
                case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kind]):
                    if all(_is_error(one, self.module, self.facts) for one in _kinds(kind)):
                        found = names.get(name, NOTHING)
                        yes[name] = self.seen_as([self.error_name(one) for one in _kinds(kind)], found)
                        if len(parts) == 1:
                            no[name] = found - only(found, MAYBE)
        return (no, yes) if negated else (yes, no)

    def seen_as(self, kinds: list[str], found: Taint) -> Taint:
        """What a name carries once it is known to be an exception of one of these kinds."""
        whole, given = only(found, MAYBE, EXCEPTION), only(found, PARAMETER)
        return (
            (found - whole - given)
            | frozenset(Origin(EXCEPTION, kind, one.line, one.way) for one in whole for kind in kinds)
            | frozenset(one.seen_as(kind) for one in given for kind in kinds)
        )

    def error_name(self, expression: ast.expr | None) -> str:
        """The qualified name of an exception class; nothing for one that says nothing."""
        qualified = self.module.qualified(expression) if expression is not None else None
        return "" if qualified is None or qualified in {"Exception", "BaseException"} else qualified

    # Attributes

    def _attribute(self, node: ast.Attribute, names: Environment) -> Taint:
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return self.attributes.get(node.attr, NOTHING) | self._own_attribute(node, names)
        carried = self.evaluate(node.value, names)
        return self._attributes(carried, node.attr)

    def _own_attribute(self, node: ast.Attribute, names: Environment) -> Taint:
        """An attribute of `self`, where `self` is an exception of the project."""
        carried = names.get("self", NOTHING)
        return self._attributes(carried, node.attr)

    def _attributes(self, carried: Taint, name: str) -> Taint:
        return NOTHING.union(*(self._of_attribute(one, name) for one in carried))

    def _of_attribute(self, origin: Origin, name: str) -> Taint:
        if origin.kind == PROCESS:
            if name in PROCESS_ATTRIBUTES:
                return frozenset({Origin(ERROR, "the process's stderr", origin.line)})
            return frozenset({origin}) if name in {"communicate", "wait"} else NOTHING
        if origin.kind == PARAMETER:
            return NOTHING if name in SAFE_ATTRIBUTES else frozenset({origin.part(name)})
        if name in SAFE_ATTRIBUTES:
            return NOTHING
        if origin.kind == EXCEPTION and origin.name:
            if self.facts.is_authored(origin.name) and name in AUTHORED_ATTRIBUTES:
                place = self.facts.fills(origin.name, name)
                return NOTHING if place is None else self._filled(place, origin)
            if origin.name in self.facts.bases:
                return self._of_own_error(origin, name)
            if name not in ALWAYS_RAW:  # the project may turn out to know the class
                return frozenset({replace(origin, kind=ERROR, name=f"{origin.name}#{name}")})
        return as_text(frozenset({origin}))

    def _of_own_error(self, origin: Origin, name: str) -> Taint:
        """Safe, unless some raise site fills it from another exception; what it was made of never is."""
        if name in ALWAYS_RAW:
            return as_text(frozenset({origin}))
        place = self.facts.fills(origin.name, name)
        return NOTHING if place is None else self._filled(place, origin)

    def _filled(self, place: tuple[str, int], origin: Origin) -> Taint:
        step = (place[0], place[1], "filled from another exception here")
        return frozenset({Origin(ERROR, origin.name.rpartition(".")[2], origin.line, (step, *origin.way))})

    # Calls

    def _call(self, call: ast.Call, names: Environment) -> Taint:
        qualified = self.module.called(call)
        last = _last(call.func)
        if qualified is not None and (qualified in self.sanitizers or last in self.sanitizers):
            self._arguments(call, names)
            return NOTHING
        if (source := source_of(call, qualified)) is not None:
            self._arguments(call, names)
            return source
        response = self.facts.is_response(qualified)
        refusal = self.facts.is_refusal(qualified)
        sink = sink_of(call, qualified, response, self.parameters)
        if sink is None and refusal:
            sink = Sink((*call.args, *(one.value for one in call.keywords)), "an error response")
        if sink is not None:
            given = {id(one): self.evaluate(one, names) for one in _given(call)}
            sent = few(NOTHING.union(*(given[id(one)] for one in sink.values)))
            self._send(call, sink.what, sent)
            return only(sent, PARAMETER) if qualified not in EVENTS else sent
        function = self._function(call, qualified)
        if function is not None:
            return self._through(call, function, names)
        return self._unknown(call, qualified, last, names)

    def _function(self, call: ast.Call, qualified: str | None) -> FunctionFacts | None:
        match call.func:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=method) if self.class_name is not None:
                return self.facts.functions.get(f"{self.module.name}.{self.class_name}.{method}")
        return self.facts.functions.get(qualified) if qualified is not None else None

    def _through(self, call: ast.Call, function: FunctionFacts, names: Environment) -> Taint:
        """A function of the project: what comes out of it, and what reaches a client in it."""
        result: set[Origin] = set()
        sent: set[Origin] = set()
        line = 0
        for name, value in passed(call, function.parameters):
            carried = self.evaluate(value, names)
            for given in function.gives:
                result |= as_text(self._part(carried, name, given))
            for given, where in function.sends.items():
                if part := self._part(carried, name, given):
                    line = where
                    sent |= part
        if sent:
            way = ((function.path, line, f"sent by {ast.unparse(call.func)}()"),)
            longer = (Origin(one.kind, one.name, one.line, (*one.way, *way)[:LONGEST_WAY]) for one in sent)
            self._send(call, "a response", frozenset(longer))
        if function.error is not None:
            step = (function.path, function.error[0], function.error[1])
            result.add(Origin(ERROR, f"the result of {ast.unparse(call.func)}()", call.lineno, (step,)))
        return frozenset(result)

    def _part(self, carried: Taint, parameter: str, given: str) -> Taint:
        """What is `given` (`error`, or its attribute, where it is of a class) of an argument for the parameter."""
        name, kind, attribute = parsed(given)
        if name != parameter:
            return NOTHING
        seen = self.seen_as([kind], carried) if kind else carried
        return self._attributes(seen, attribute) if attribute else seen

    def _unknown(self, call: ast.Call, qualified: str | None, last: str, names: Environment) -> Taint:
        held = self.evaluate(call.func.value, names) if isinstance(call.func, ast.Attribute) else NOTHING
        values = {id(one): self.evaluate(one, names) for one in _given(call)}
        given = few(NOTHING.union(*values.values()))
        self._made(call, qualified, values)
        if isinstance(call.func, ast.Name) and last == "getattr" and len(call.args) >= 2:
            return self._getattr(call, names) if given else NOTHING
        if last in _SILENT and isinstance(call.func, ast.Name):
            return NOTHING
        if last in _MAKES_TEXT and isinstance(call.func, ast.Name):
            return as_text(given)
        if isinstance(call.func, ast.Attribute):
            if last in _LOGS and not held:
                return NOTHING
            if last in _MUTATES and (root := _root(call.func.value)) is not None and given:
                self._mutate(root, call.func.value, as_text(given) if last == "write" else given, names)
                return NOTHING
            if last in {"format", "format_map", "join"}:
                return as_text(held | given)
            if held:
                return self._of_method(held, call.func)
        is_class = last[:1].isupper() and any(one.islower() for one in last)
        if is_error_class(qualified, self.facts.bases):
            return frozenset()
        return given if is_class or last in _PASSES else NOTHING

    def _made(self, call: ast.Call, qualified: str | None, values: Mapping[int, Taint]) -> None:
        """Hears of each call of something that is not a function of the project, with what its arguments carry."""

    def _mutate(self, root: str, holder: ast.expr, given: Taint, names: Environment) -> None:
        if root == "self" and isinstance(holder, ast.Attribute):
            self.attributes[holder.attr] = self.attributes.get(holder.attr, NOTHING) | given
        else:
            names[root] = names.get(root, NOTHING) | given

    def _of_method(self, held: Taint, func: ast.Attribute) -> Taint:
        return self._attributes(held - only(held, MAYBE), func.attr) | only(held, MAYBE)

    def _getattr(self, call: ast.Call, names: Environment) -> Taint:
        held, name = call.args[0], call.args[1]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return self._attribute(ast.copy_location(ast.Attribute(held, name.value, ast.Load()), call), names)
        return as_text(self.evaluate(held, names))

    def _arguments(self, call: ast.Call, names: Environment) -> Taint:
        return self._union(_given(call), names)

    def _send(self, node: ast.AST, what: str, carried: Taint) -> None:
        if only(carried, *LEAKS, PARAMETER):
            self.report(node, what, carried)


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(one.value for one in call.keywords)]


def _last(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _root(expression: ast.expr) -> str | None:
    while isinstance(expression, ast.Attribute | ast.Subscript | ast.Call):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    return expression.id if isinstance(expression, ast.Name) else None


def _kinds(kind: ast.expr) -> list[ast.expr]:
    if isinstance(kind, ast.BinOp):
        return [*_kinds(kind.left), *_kinds(kind.right)]
    return list(kind.elts) if isinstance(kind, ast.Tuple) else [kind]


def _is_error(kind: ast.expr, module: Module, facts: Facts) -> bool:
    return is_error_class(module.qualified(kind), facts.bases)
