"""Follows a call: of a function, a method or a class of the project, or of something that is not the project's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import libcst as cst

from ...tables.python_calls import CALLERS, MAPS
from ..syntax import code, is_named, last_name, passed_values
from .arguments import Argument, Arguments, numbered
from .attributes import instantiated
from .context import Environment, Passed
from .facts import Effect, FunctionFacts, Item
from .module import is_error_class
from .receivers import Receivers
from .sink_table import ancestors
from .sinks import assigned_medium, sink_of
from .sources import source_of
from .tested_types import Narrowing
from .values import (
    DEEPEST_PART,
    ELEMENT,
    ERROR,
    EXCEPTION,
    INSTANCE,
    LEAKS,
    LONGEST_TRACE,
    MAYBE,
    NOTHING,
    PARAMETER,
    PROCESS,
    PROCESSES,
    SENT,
    STORE,
    TEXT,
    Origin,
    Taint,
    as_text,
    at,
    bounded,
    elements_of,
    joined,
    of_kind,
    split_name,
)

_HANDED_ON = frozenset({*LEAKS, STORE, PROCESS})


@dataclass
class Calls(Narrowing):
    """A `Narrowing` that follows calls, and reports each call that sends something raw. `objects` says of which class
    an object is, for the sinks."""

    objects: Receivers = field(init=False)

    def __post_init__(self) -> None:
        self.objects = Receivers(self.context.module, self.context.facts.bases, None, self.class_name)

    def report_assigned(self, target: cst.Attribute | cst.Subscript, carried: Taint) -> bool:
        """Report what is put into a response, as `response.headers[…] = …`. Return whether it was that."""
        medium = assigned_medium(target, self.objects) if carried else None
        if medium is not None:
            self.send(target, medium, carried)
        return medium is not None

    def call(self, call: cst.Call, names: Environment) -> Taint:
        """Return what the result of a call carries."""
        context = self.context
        qualified = context.module.called(call)
        sanitizers = context.sanitizers
        if qualified is not None and (qualified in sanitizers or last_name(call.func) in sanitizers):
            self._evaluate_all(passed_values(call), names)
            return NOTHING
        if sources := source_of(call, qualified):
            self._evaluate_all(passed_values(call), names)
            place = context.places.number(call)
            self.knows_process = True
            return frozenset(Origin(kind, name, place, (), path) for kind, name, path in sources)
        arguments = self.arguments(call, names)
        if (sink := sink_of(call, qualified, self.objects, self.parameters)) is not None:
            sent = bounded(joined(arguments.of(value) for value in sink.values))
            self.send(call, sink.medium, sent)
            return of_kind(sent, PARAMETER)
        if isinstance(call.func, cst.Attribute) and self._is_super(call.func.value):
            return self._of_base(call, call.func.attr.value, arguments, names)
        result = self.invoke(call, call.func, qualified, arguments, names)
        if result is not None:
            return result
        return self.unknown(call, qualified, arguments, names)

    def unknown(self, call: cst.Call, qualified: str | None, arguments: Arguments, names: Environment) -> Taint:
        """Call something that is not the project's."""
        raise NotImplementedError

    def send(self, node: cst.CSTNode, medium: str, carried: Taint) -> None:
        """Report a node that sends something."""
        if of_kind(carried, *SENT, PARAMETER):
            self.context.report(node, medium, carried)

    def _evaluate_all(self, values: Iterable[cst.BaseExpression], names: Environment) -> Taint:
        return joined([self.evaluate(value, names) for value in values])

    def arguments(self, call: cst.Call, names: Environment) -> Arguments:
        """Evaluate the arguments of a call, and the object whose method is called."""
        items = tuple(
            Argument(
                item.keyword.value if item.keyword is not None else "",
                item.star,
                item.value,
                self.evaluate(item.value, names),
            )
            for item in call.args
        )
        if not isinstance(call.func, cst.Attribute):
            return Arguments(items)
        receiver = call.func.value
        return Arguments(items, receiver, self.evaluate(receiver, names))

    def invoke(
        self,
        call: cst.Call,
        function: cst.BaseExpression,
        qualified: str | None,
        arguments: Arguments,
        names: Environment,
    ) -> Taint | None:
        """Call what an expression stands for; None if it is not the project's, or not known yet."""
        if (caller := CALLERS.get(last_name(function))) is not None and len(arguments.items) > caller:
            return self._call_for(call, arguments, caller, last_name(function) in MAPS, names)
        if self.class_name is not None and _is_own_class(function):
            return self.made(call, f"{self.context.module.name}.{self.class_name}", arguments)
        functions = self._functions(function, qualified, arguments.received)
        if functions:
            return joined([self._through(call, each, arguments, names) for each in functions])
        kind = self.context.facts.aliases.get(qualified or "", qualified)
        if kind is not None and kind in self.context.facts.bases:
            return self.made(call, kind, arguments)
        if kind is not None and self.context.gathered is not None and kind.rpartition(".")[2][:1].isupper():
            self.context.gathered.made[kind] = None  # it may be an exception class of another module
        return None

    def _call_for(
        self, call: cst.Call, arguments: Arguments, caller: int, is_map: bool, names: Environment
    ) -> Taint | None:
        """Call what an argument stands for with those behind it, or (`is_map`) with their elements."""
        called = arguments.items[caller].value
        if not isinstance(called, cst.Name | cst.Attribute):
            return None
        inner = arguments.without_first(caller + 1)
        if is_map:
            inner = Arguments(tuple(replace(item, carried=elements_of(item.carried)) for item in inner.items))
        if isinstance(called, cst.Attribute):
            inner = replace(inner, receiver=called.value, received=self.evaluate(called.value, names))
        result = self.invoke(call, called, self.context.module.qualified(called), inner, names)
        return at(result, ELEMENT) if is_map and result is not None else result

    def _functions(self, function: cst.BaseExpression, qualified: str | None, received: Taint) -> list[FunctionFacts]:
        facts = self.context.facts
        if isinstance(function, cst.Attribute):
            method = function.attr.value
            kinds = self.classes_of(received)
            if is_named(function.value, "self", "cls") and self.class_name is not None:
                kinds = [f"{self.context.module.name}.{self.class_name}"]
            methods = [definition for kind in kinds if (definition := facts.method(kind, method)) is not None]
            if methods:
                return methods
        known = facts.functions.get(qualified) if qualified is not None else None
        return [] if known is None else [known]

    def classes_of(self, carried: Taint) -> list[str]:
        """Return the project's classes of which a value may be."""
        kinds: set[str] = set()
        for origin in carried:
            if origin.path:
                continue
            if origin.kind == STORE:
                kinds |= self.context.heap.classes_of(origin.name)
            elif origin.kind in {INSTANCE, EXCEPTION} and origin.name:
                kinds.add(self.context.facts.aliases.get(origin.name, origin.name))
        return sorted(kinds)

    def rooted(self, carried: Taint, parts: int) -> Taint:
        """Return what a value carries of which so many parts are asked: what lies too deep in a store for them lies
        in an object of the class that is on the way."""
        deep = frozenset(
            origin
            for origin in of_kind(carried, STORE)
            if not origin.path and origin.name.count("#") + parts > DEEPEST_PART
        )
        shortened = self.context.heap.shortened
        return carried - deep | {
            replace(origin, name=name) for origin in deep for name in shortened(origin.name, parts)
        }

    def _through(self, call: cst.Call, function: FunctionFacts, arguments: Arguments, names: Environment) -> Taint:
        """Call a function of the project: report what it sends, do what it does, return what its result carries."""
        carried, values = arguments.bound(function)
        facts = self.context.facts
        sent: set[Origin] = set()
        sent_line = 0
        on_self = isinstance(call.func, cst.Attribute) and is_named(call.func.value, "self", "cls")
        for part, line in function.sends.items():
            carried_part = instantiated(part, carried, facts)
            if on_self and split_name(part)[0] in {"self", "cls"}:
                carried_part -= of_kind(carried_part, STORE, ERROR)  # the method itself is reported
            if carried_part:
                sent_line = line
                sent |= carried_part
        if sent:
            step = (function.path, sent_line, f"sent by {code(call.func)}()")
            traced = (replace(origin, trace=(*origin.trace, step)[:LONGEST_TRACE]) for origin in sent)
            self.send(call, "a response", frozenset(traced))
        for effect in function.effects:
            self.happen(call, effect, carried, values, names)
            if effect.kind == PARAMETER:  # the result may hold what is changed
                parameter, *parts = effect.target.split("#")
                value = self._of_item(call, effect.item, carried)
                own = at(value, *(part.strip("[]") for part in parts))
                carried[parameter] = carried.get(parameter, NOTHING) | own
        return joined([self._of_item(call, item, carried) for item in function.result])

    def _of_item(self, call: cst.CSTNode, item: Item, carried: dict[str, Taint]) -> Taint:
        """Return what an item of a function's result, or of an effect, carries in this call."""
        if item.kind == PARAMETER:
            parameter, _, parts = split_name(item.name)
            rooted = {**carried, parameter: self.rooted(carried.get(parameter, NOTHING), len(parts))}
            value = instantiated(item.name, rooted, self.context.facts)
            texts = of_kind(value, EXCEPTION, MAYBE)
            return at((value - texts) | as_text(texts), *item.path)
        self.knows_process = self.knows_process or item.kind in PROCESSES
        trace = ((item.file, item.line, item.text),) if item.line else ()
        return frozenset({Origin(item.kind, item.name, self.context.places.number(call), trace, item.path)})

    def happen(
        self,
        call: cst.CSTNode,
        effect: Effect,
        carried: dict[str, Taint],
        values: dict[str, cst.BaseExpression],
        names: Environment,
    ) -> None:
        """Do what a call of a function does to one of its arguments, or to a store."""
        value = self._of_item(call, effect.item, carried)
        if not value:
            return
        if effect.kind == STORE:
            self.keep(effect.target, value)
            return
        parameter, *parts = effect.target.split("#")
        self.put_into(carried.get(parameter, NOTHING), values.get(parameter), parts, value, names)

    def made(self, call: cst.CSTNode, kind: str, arguments: Arguments) -> Taint:
        """Make an object of a class of the project."""
        facts = self.context.facts
        is_error = is_error_class(kind, facts.bases)
        init = facts.method(kind, "__init__")
        fields = facts.fields_of(kind)
        held = NOTHING
        if init is not None:
            carried, _ = arguments.bound(init)
            for effect in init.effects:
                parameter, *parts = effect.target.split("#")
                if parameter == "self" and effect.kind == PARAMETER:
                    value = self._of_item(call, effect.item, carried)
                    held |= at(value, *(part.strip("[]") for part in parts))
        else:
            if fields:
                carried, _ = arguments.bound(FunctionFacts("", fields))
                held |= joined([at(carried[name], name) for name in fields if name in carried])
            elif not is_error:
                held |= keyed(arguments)
            if is_error:
                held |= at(as_text(arguments.carried), TEXT)
        if is_error and self.context.gathered is not None:
            self.context.gathered.made[kind] = None
        if is_error or facts.is_row(kind):
            self.keep(f"{kind}!", held)
        return held | frozenset({Origin(INSTANCE, kind, self.context.places.number(call))})

    def _is_super(self, expression: cst.BaseExpression) -> bool:
        return isinstance(expression, cst.Call) and is_named(expression.func, "super") and self.class_name is not None

    def _of_base(self, call: cst.Call, method: str, arguments: Arguments, names: Environment) -> Taint:
        """Call a method of the class that the function's class inherits from."""
        facts = self.context.facts
        own = f"{self.context.module.name}.{self.class_name}"
        base = (facts.functions.get(f"{kind}.{method}") for kind in ancestors(own, facts.bases) if kind != own)
        function = next((definition for definition in base if definition is not None), None)
        myself = cst.Name("self")
        arguments = replace(arguments, receiver=myself, received=self.evaluate(myself, names))
        if function is not None:
            return self._through(call, function, arguments, names)
        if method == "__init__" and is_error_class(own, facts.bases):
            self.put(myself, (TEXT,), as_text(arguments.carried), names)
        return as_text(arguments.received) if method == TEXT else NOTHING

    def hand_on(self, callee: str, arguments: Arguments) -> None:
        """Note what is passed to something that another module may define."""
        if self.context.gathered is None:
            return
        for name, carried in numbered(arguments.items):
            for origin in carried:
                if origin.kind in _HANDED_ON and not (origin.kind == STORE and origin.path):
                    self.context.gathered.hand_on(Passed(callee, name, origin))

    def property_of(self, node: cst.Attribute, carried: Taint, names: Environment) -> Taint | None:
        """Return what a property of the project's class gives; None if the attribute is none."""
        name = node.attr.value
        facts = self.context.facts
        methods = [facts.method(kind, name) for kind in self.classes_of(carried)]
        functions = [definition for definition in methods if definition is not None and definition.is_property]
        if not functions:
            return None
        return joined(
            self._of_item(node, item, {"self": carried}) for definition in functions for item in definition.result
        )


def _is_own_class(function: cst.BaseExpression) -> bool:
    """Return whether the expression is the class of the method that it is in."""
    match function:
        case cst.Name(value="cls") | cst.Attribute(value=cst.Name(value="self"), attr=cst.Name(value="__class__")):
            return True
        case cst.Call(func=cst.Name(value="type"), args=[cst.Arg(value=cst.Name(value="self"))]):
            return True
    return False


def keyed(arguments: Arguments) -> Taint:
    """Return what an object carries that keeps its arguments: those with a keyword under it."""
    return joined(at(item.carried, item.keyword) if item.keyword else item.carried for item in arguments.items)
