"""Follows one function from its first statement to its last, with what each name carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import libcst as cst

from ..syntax import (
    Function,
    Statement,
    annotation_of,
    elements,
    own_nodes,
    parameter_names,
    parameters,
    statements,
)
from .annotations import annotated_classes
from .arguments import Arguments
from .context import Environment
from .module import is_error_class
from .patterns import Patterns
from .receivers import Receivers
from .registrations import error_parameter, handled_by_decorator, handles_status, is_route
from .sources import EXITS, handles_by_parameters, own_parameters, signature_of
from .values import (
    ELEMENT,
    EXCEPTION,
    INSTANCE,
    NOTHING,
    PARAMETER,
    SENT,
    STORE,
    Origin,
    Taint,
    as_text,
    at,
    bounded,
    elements_of,
    of_kind,
)

_MOST_INLINED = 2
_COMPOUND = (cst.If, cst.For, cst.While, cst.With, cst.Try, cst.TryStar, cst.Match, cst.FunctionDef)


@dataclass
class FunctionFlow(Patterns):
    """Follows one function. `returned` and `yielded` are the result; `nested` are the functions in it, and
    `nested_results` what those return."""

    returned: Taint = NOTHING
    yielded: Taint = NOTHING
    sends_result: bool = False
    sends_yields: bool = False
    is_nested: bool = False
    nested: dict[str, Function] = field(default_factory=dict)
    nested_results: Taint = NOTHING
    inlined: int = 0

    def follow(self, function: Function, names: Environment, passed: Environment | None = None) -> None:
        """Follow the body. `names` is what the names around the function carry, and does not change; `passed` what is
        passed for its parameters, if that is known."""
        self.objects = Receivers(
            self.context.module, self.context.facts.bases, function, self.class_name, self.objects
        )
        self.sends_result = self._sends_result(function)
        self.sends_yields = function.name.value in self.context.streams
        self.shared = {
            item.name.value
            for node in own_nodes(statements(function.body))
            if type(node) is cst.Global
            for item in node.names
        }
        inner = dict(names)
        every_parameter = all_parameters(function)
        self.parameters = frozenset(parameter.name.value for parameter in every_parameter) | self.parameters
        for parameter in every_parameter:
            name = parameter.name.value
            inner[name] = self._parameter(parameter) if passed is None else passed.get(name, NOTHING)
        inner |= self._handled_error(function)
        inner |= self._self(function, inner)
        self.block(statements(function.body), inner)

    def _parameter(self, parameter: cst.Param) -> Taint:
        """Return what a parameter carries: itself, and objects of the classes in its annotation."""
        own = NOTHING
        if self.context.gathered is not None:
            own = frozenset({Origin(PARAMETER, parameter.name.value, 0)})
        default = self.evaluate(parameter.default, {}) if isinstance(parameter.default, cst.Call) else NOTHING
        return own | self.annotated(parameter.annotation) | of_kind(default, STORE)

    def annotated(self, annotation: cst.Annotation | None) -> Taint:
        """Return the objects of the project that an annotation says a value holds."""
        if annotation is None:
            return NOTHING
        held = annotated_classes(annotation.annotation, self.context.module)
        return frozenset(
            Origin(STORE, kind, 0, (), path)
            for path, kind in held
            if self.context.gathered is not None or self.context.heap.is_known(kind)
        )

    def _self(self, function: Function, names: Environment) -> Environment:
        """Return what `self` carries in a method; `cls` is the same to us."""
        first = next(iter(parameter_names(function)), "")
        if self.class_name is None or first not in {"self", "cls"}:
            return {}
        kind = f"{self.context.module.name}.{self.class_name}"
        if is_error_class(kind, self.context.facts.bases):
            itself = frozenset({Origin(EXCEPTION, kind, self.context.places.number(function))})
            if self.context.gathered is None:
                return {first: itself}
        if self.context.gathered is not None:
            return {first: frozenset({Origin(PARAMETER, "self", 0), Origin(INSTANCE, kind, 0)})}
        return {first: frozenset({Origin(STORE, kind, 0)})}

    def block(self, body: Iterable[Statement], names: Environment) -> bool:
        """Follow statements. Return whether they leave (return, raise, break, continue) at their end."""
        return any(self._statement(statement, names) for statement in body)

    def _handled_error(self, function: Function) -> Environment:
        """Return the parameter that holds the exception, if the function is a handler."""
        names = own_parameters(function)
        kind: str | None = None
        if function.name.value in EXITS and self.class_name and len(names) > 1:
            return {names[1]: self._error("", function)}
        if function.name.value in EXITS and self.class_name and isinstance(function.params.star_arg, cst.Param):
            return {function.params.star_arg.name.value: at(self._error("", function), "1")}
        if function.name.value == "handle_exception" and self.class_name and names:
            return {names[0]: self._error("", function)}
        rest = function.params.star_kwarg
        if function.name.value == "write_error" and rest is not None:
            return {rest.name.value: at(self._error("", function), "exc_info", ELEMENT)}
        if (expression := handled_by_decorator(function, self.context.module)) is not None:
            kind = self.error_name(expression)
        elif (registered := self.context.facts.handlers.get(self._name_of(function))) is not None:
            kind = registered
        elif handles_by_parameters(function) and not handles_status(function, self.context.module):
            kind = ""
        required = sum(item.default is None and item.name.value in names for item in parameters(function))
        name = None if kind is None else error_parameter(names, required)
        if name is None:
            return {}
        kind = kind or self.error_name(annotation_of(function, name))
        return {name: self._error(kind, function)}

    def _sends_result(self, function: Function) -> bool:
        """Return whether what the function returns is sent: it is a route, or a method of a view."""
        module, facts = self.context.module, self.context.facts
        owner = f"{module.name}.{self.class_name}"
        return (
            is_route(function, module)
            or self._name_of(function) in facts.routes
            or self._name_of(function) in facts.handlers
            or handled_by_decorator(function, module) is not None
            or (self.class_name is not None and module.table.is_view(owner, function.name.value, facts.bases))
        )

    def _name_of(self, function: Function) -> str:
        middle = f"{self.class_name}." if self.class_name and not self.is_nested else ""
        return f"{self.context.module.name}.{middle}{function.name.value}"

    def _without_authored(self, carried: Taint) -> Taint:
        """Leave out exceptions that are responses themselves."""
        return frozenset(
            origin
            for origin in carried
            if origin.kind != EXCEPTION or not origin.name or not self.context.facts.is_authored(origin.name)
        )

    def _error(self, kind: str, node: cst.CSTNode) -> Taint:
        return frozenset({Origin(EXCEPTION, kind, self.context.places.number(node))})

    def _statement(self, node: Statement, names: Environment) -> bool:  # noqa: PLR0912 - an arm for each form
        """Follow a statement. Return whether it leaves."""
        kind = type(node)
        if kind is cst.Expr:
            self.evaluate(node.value, names)  # type: ignore[union-attr]
            return False
        if kind in _COMPOUND:
            return self._compound(node, names)
        match node:
            case cst.Return(value=value):
                carried = self.evaluate(value, names)
                self.returned |= carried
                if self.sends_result and value is not None:
                    self.send(node, "a route's reply", self._without_authored(carried))
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
                self.bind(target, self.evaluate(value, names) | self.annotated(node.annotation), names, value)
            case cst.AugAssign(target=target, value=value):
                carried = self.evaluate(value, names) | self.evaluate(target, names)
                self.bind(target, carried if any(origin.path for origin in carried) else as_text(carried), names)
            case cst.Assert(test=test, msg=text):
                self.evaluate(test, names)
                self.evaluate(text, names)
                names.update(self.narrowed(test, names)[0])
            case cst.Del(target=target):
                for item in elements(target) or [target]:
                    self._delete(item, names)
        return False

    def _compound(self, node: Statement, names: Environment) -> bool:
        match node:
            case cst.If(test=test):
                self.evaluate(test, names)
                return self._branches(node, names)
            case cst.For() | cst.While():
                self._loop(node, names)
            case cst.With(items=items, body=body):
                held = [(item, self.evaluate(item.item, names)) for item in items]
                for item, carried in held:
                    if item.asname is not None:
                        self.bind(item.asname.name, entered(carried), names)
                leaves = self.block(statements(body), names)
                for item, carried in held:
                    self._exit(item, carried, names)
                return leaves
            case cst.Try() | cst.TryStar():
                return self._try(node, names)
            case cst.Match():
                self._match(node, names)
            case cst.FunctionDef():
                self._nested(node, names)
        return False

    def _exit(self, item: cst.WithItem, carried: Taint, names: Environment) -> None:
        """Do what `__exit__` does to the object of a `with`."""
        for kind in self.classes_of(carried):
            for name in EXITS:
                function = self.context.facts.method(kind, name)
                if function is not None and item.asname is not None:
                    target = item.asname.name
                    for effect in function.effects:
                        self.happen(item, effect, {"self": carried}, {"self": target}, names)

    def _delete(self, target: cst.BaseExpression, names: Environment) -> None:
        if isinstance(target, cst.Name):
            names[target.value] = NOTHING
        else:
            self.remove(target, (), names)

    def _raise(self, node: cst.Raise, names: Environment) -> None:
        self.evaluate(node.exc, names)
        if node.cause is not None:
            self.evaluate(node.cause.item, names)
        self._note_raised(node.exc)
        if isinstance(node.exc, cst.Call) and self.context.gathered is not None:
            kind = self.context.module.called(node.exc)
            known = self.context.facts.bases
            if kind is not None and kind not in known and not self.context.module.is_known(node.exc.func):
                self.hand_on(f"{kind}()", self.arguments(node.exc, names))

    def _note_raised(self, error: cst.BaseExpression | None) -> None:
        """Note that a class is raised without arguments."""
        kind = self.context.module.qualified(error) if error is not None else None
        if kind is not None and self.context.gathered is not None:
            self.context.gathered.made[kind] = None

    def _loop(self, node: cst.For | cst.While, names: Environment) -> None:
        for _ in range(2):  # what the first pass leaves in a name, the second may send
            before = dict(names)
            if isinstance(node, cst.While):
                self.evaluate(node.test, names)
            else:
                self.bind(node.target, elements_of(self.evaluate(node.iter, names)), names)
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
        unbroken = dict(names)
        left_after = left or self.block(statements(node.orelse), unbroken)
        ends = [] if left_after else [unbroken]
        broken = dict(before)
        for key, carried in names.items():
            broken[key] = broken.get(key, NOTHING) | carried
        everything_left = left_after
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
            narrowed = self.captured(case.pattern, carried, inner)
            if isinstance(node.subject, cst.Name):
                inner[node.subject.value] = narrowed
            if case.guard is not None:
                self.evaluate(case.guard, inner)
            self.block(statements(case.body), inner)
            ends.append(inner)
        _become(names, ends)

    def _nested(self, node: Function, names: Environment) -> None:
        """Follow a function in the function, with what the names around it carry where it is defined."""
        inner = FunctionFlow(self.context, self.class_name, self.parameters, is_nested=True)
        inner.objects = self.objects
        inner.nested, inner.knows_process = dict(self.nested), self.knows_process
        inner.follow(node, {key: of_kind(carried, *SENT) for key, carried in names.items()})
        self.nested[node.name.value] = node
        self.nested_results |= frozenset(
            origin for origin in inner.returned | at(inner.yielded, ELEMENT) if origin.kind != PARAMETER
        )
        self.effects |= {effect: None for effect in inner.effects if effect[0] == STORE}

    def invoke(
        self,
        call: cst.Call,
        function: cst.BaseExpression,
        qualified: str | None,
        arguments: Arguments,
        names: Environment,
    ) -> Taint | None:
        """Call what an expression stands for; a function in this one is followed with what it is given."""
        nested = self.nested.get(function.value) if isinstance(function, cst.Name) else None
        if nested is None or self.inlined >= _MOST_INLINED:
            return super().invoke(call, function, qualified, arguments, names)
        sent: list[tuple[str, Taint]] = []
        context = replace(self.context, report=lambda _, medium, carried: sent.append((medium, carried)))
        inner = FunctionFlow(context, self.class_name, self.parameters, is_nested=True, inlined=self.inlined + 1)
        inner.objects, inner.nested, inner.knows_process = self.objects, dict(self.nested), self.knows_process
        passed, _ = arguments.bound(signature_of(nested, ""))
        inner.follow(nested, names, {name: passed.get(name, NOTHING) for name in passed if name})
        if arguments.carried:  # else it has been reported where the function is
            for medium, carried in sent:
                self.send(call, medium, carried)
        return inner.returned | (NOTHING if inner.sends_yields else at(inner.yielded, ELEMENT))

    def yielded_value(self, node: cst.Yield, carried: Taint) -> Taint:
        """Take what a generator yields."""
        self.yielded |= carried
        if self.sends_yields:
            self.send(node, "an event stream", carried)
        return NOTHING


def entered(carried: Taint) -> Taint:
    """Return what `with value as name` gives: what a generator yields, or the value itself."""
    return elements_of(carried) | frozenset(origin for origin in carried if not origin.path)


def all_parameters(function: Function) -> list[cst.Param]:
    """Return the parameters with `*args` and `**kwargs`."""
    params = function.params
    stars = [star for star in (params.star_arg, params.star_kwarg) if isinstance(star, cst.Param)]
    return [*parameters(function), *stars]


def _become(names: Environment, ends: list[Environment]) -> None:
    """Set `names` to what they carry after one of several ends."""
    merged: Environment = {}
    for end in ends:
        for key, carried in end.items():
            merged[key] = bounded(merged[key] | carried) if key in merged else carried
    names.clear()
    names.update(merged)
