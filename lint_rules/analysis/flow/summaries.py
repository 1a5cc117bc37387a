"""Summarises a module for the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

import libcst as cst

from ...engine.contract import JSON
from ..syntax import Function, argument, decorator_name, last_name
from .assignments import Assignments
from .context import Context, Gathered, Passed
from .facts import Effect, Facts, FunctionFacts, Item, listed_item
from .heap import Heap
from .module import Module, is_error_class
from .places import Places
from .prescan import Prescan, prescan_function, prescan_module
from .sources import own_parameters, signature_of
from .statements import FunctionFlow
from .values import (
    ELEMENT,
    ERROR,
    FIELD,
    LEAKS,
    MAYBE,
    PARAMETER,
    PROCESS,
    SENT,
    STORE,
    TEXT,
    Origin,
    Taint,
    at,
    joined,
    of_kind,
    split_name,
)

_ROUNDS = 2
_MOST_ITEMS = 24
_MOST_EFFECTS = 24
_STREAM_WRAPPERS = frozenset({"stream_with_context", "iterate_in_threadpool", "aiter", "iter", "to_sync_iterator"})
_KEPT = "an error's text is kept here"
_NAMES_OF_ERRORS = ("Error", "Exception", "Exit", "Failure", "Fault", "Problem", "Warning")
_PROPERTIES = frozenset({"property", "cached_property", "hybrid_property", "computed_field"})
_Owned = tuple[str | None, Function]


class Summary:
    """Makes the summary of one module. A function is followed again if one that it calls, by its last name, has
    turned out to do something new."""

    def __init__(self, module: Module, path: str, sanitizers: frozenset[str], places: Places) -> None:
        self._module, self._path, self._places = module, path, places
        self._facts = local_facts(module)
        self._gathered = Gathered()
        self._inner_results: dict[str, Taint] = {}
        self._functions = dict(_functions_of(module))
        self._context = Context(
            module,
            self._facts,
            Heap(self._facts),
            sanitizers,
            lambda _node, _medium, _carried: None,
            places,
            streams_of(module),
            self._gathered,
        )

    def to_json(self) -> dict[str, JSON]:
        """Follow the module, and return what other modules need to know of it."""
        module, facts = self._module, self._facts
        prescans = {name: prescan_function(module, *function) for name, function in self._functions.items()}
        for name, (_, function) in self._functions.items():
            facts.functions[name] = _unknown_facts(function, self._path)
        first = [name for name in self._functions if name.endswith(".__init__")]
        self._renew_context()
        follow_bodies(self._context)
        self._follow_all(first, prescans)
        self._renew_heap()
        self._follow_all([name for name in self._functions if name not in first], prescans)
        self._renew_heap()
        self._finish()
        scan = prescan_module(module, prescans.values())
        return {
            **facts.to_json(),
            "passed": self._passed(),
            "module": module.name,
            "own": sorted(self._functions),
            "sent": [list(sent) for sent in sorted(self._gathered.sent)],
            "calls": sorted(scan.calls),
        }

    def _follow_all(self, names: Iterable[str], prescans: Mapping[str, Prescan]) -> None:
        """Follow functions, what they call before them; again those that call what has turned out to do more."""
        facts = self._facts
        callers = _callers(prescans)
        todo = dict.fromkeys(_callees_first(names, prescans))
        for _ in range(_ROUNDS):
            again: dict[str, None] = {}
            while todo:
                name = next(iter(todo))
                del todo[name]
                again.pop(name, None)
                summary = self._follow(*self._functions[name])
                if summary != facts.functions[name]:
                    facts.functions[name] = summary
                    again |= dict.fromkeys(
                        caller for caller in callers.get(name.rpartition(".")[2], ()) if caller not in todo
                    )
            todo = {name: None for name in again if name in self._functions}

    def _renew_context(self) -> None:
        def report(_node: cst.CSTNode, _medium: str, carried: Taint) -> None:
            self._note_sent(carried)

        self._context = replace(self._context, report=report)

    def _note_sent(self, carried: Taint, owner: str | None = None) -> None:
        for origin in of_kind(carried, PARAMETER):
            parameter, _, parts = split_name(origin.name)
            if parameter == "self" and owner is not None:  # its class's objects may hold something raw
                store = "#".join((f"{self._module.name}.{owner}", *(part.strip("[]") for part in parts)))
                self._gathered.sent[(STORE, store)] = None
        for origin in of_kind(carried, *SENT):
            name = origin.name if origin.kind in {FIELD, STORE} else ""
            self._gathered.sent[(origin.kind, name)] = None

    def _renew_heap(self) -> None:
        self._facts.heap = {}
        for kept in self._gathered.kept:
            self._facts.heap.setdefault(kept.root, []).append(_item(kept.origin, kept.path, self._path, _KEPT))
        self._context = replace(self._context, heap=Heap(self._facts))

    def _finish(self) -> None:
        """Give lines instead of numbers of places, and forget functions that do nothing."""
        facts = self._facts
        errors = {name for name in facts.bases if is_error_class(name, facts.bases)}
        functions = {}
        for name, function in facts.functions.items():
            kind, _, last = name.rpartition(".")
            is_text = kind in errors and last in {"__init__", TEXT}
            overrides = any(not base.endswith(".object") for base in facts.bases.get(kind, ()))
            if function.does_something or is_text or overrides:
                functions[name] = replace(
                    function,
                    result=tuple(map(self._with_line, function.result)),
                    sends={part: self._places.line(place) for part, place in function.sends.items()},
                    effects=tuple(effect._replace(item=self._with_line(effect.item)) for effect in function.effects),
                )
        facts.functions = functions
        facts.heap = {root: list(dict.fromkeys(map(self._with_line, items))) for root, items in facts.heap.items()}
        facts.made = frozenset(self._gathered.made)

    def _with_line(self, item: Item) -> Item:
        return item._replace(line=self._places.line(item.line)) if item.line else item

    def _passed(self) -> JSON:
        return [
            [passed.callee, passed.parameter, listed_item(self._with_line(self._item_of(passed)))]
            for passed in self._gathered.passed
        ]

    def _item_of(self, passed: Passed) -> Item:
        origin = passed.origin
        return _item(replace(origin, path=()), origin.path, self._path, "an error's text is passed on here")

    def _follow(self, owner: str | None, function: Function) -> FunctionFacts:
        """Follow a function; the lines in the result are numbers of places."""
        sends: dict[str, int] = {}

        def report(node: cst.CSTNode, _medium: str, carried: Taint) -> None:
            self._note_sent(carried, owner)
            for origin in of_kind(carried, PARAMETER):
                if is_error and origin.name.startswith("self"):
                    continue  # what fills the class is known where the method sends it
                sends.setdefault(origin.name, self._places.number(node))

        is_error = owner is not None and is_error_class(f"{self._module.name}.{owner}", self._facts.bases)
        flow = FunctionFlow(replace(self._context, report=report), owner)
        self._places.within(function)
        flow.follow(function, {})
        self._places.within(None)
        known = _unknown_facts(function, self._path)
        names = {"self", *known.parameters, known.star, known.rest} - {""}
        is_stream = function.name.value in self._context.streams
        result = (
            flow.returned | (frozenset() if is_stream else at(flow.yielded, ELEMENT)) | self._of_decorators(function)
        )
        if owner is None and flow.nested_results:
            self._inner_results[function.name.value] = flow.nested_results
        text = f"{function.name.value}() puts an error's text into its result"
        return replace(
            known,
            result=_items(((origin.path, origin) for origin in result), names, self._path, text),
            sends={name: place for name, place in sorted(sends.items()) if split_name(name)[0] in names},
            effects=tuple(islice(self._effects(flow, names, owner, function), _MOST_EFFECTS)),
        )

    def _of_decorators(self, function: Function) -> Taint:
        """Return what the functions give by which decorators of the module replace the function."""
        names = {decorator_name(decorator) for decorator in function.decorators}
        return joined(self._inner_results.get(name, frozenset()) for name in sorted(names))

    def _effects(self, flow: Assignments, names: set[str], owner: str | None, function: Function) -> Iterator[Effect]:
        text = f"{function.name.value}() puts an error's text here"
        targets: dict[tuple[str, str], list[tuple[tuple[str, ...], Origin]]] = {}
        for kind, target, path, origin in flow.effects:
            if kind == STORE or split_name(target)[0] in names:
                targets.setdefault((kind, target), []).append((path, origin))
        for (kind, target), pairs in sorted(targets.items(), key=lambda item: (item[0][1].count("#"), item[0])):
            for item in _items(pairs, names, self._path, text):
                if PARAMETER in {item.kind, kind}:
                    yield Effect(kind, target, item)
        is_error = owner is not None and is_error_class(f"{self._module.name}.{owner}", self._facts.bases)
        if is_error and function.name.value == "__init__" and not _calls_init(self._module, function):
            for name in own_parameters(function):
                yield Effect(PARAMETER, f"self#{TEXT}", Item(PARAMETER, name, (), "", 0, ""))


def _callers(prescans: Mapping[str, Prescan]) -> dict[str, list[str]]:
    """Return by last name of a function those that may call it."""
    own = {name.rpartition(".")[2] for name in prescans}
    callers: dict[str, list[str]] = {}
    for name, scan in prescans.items():
        for called in scan.names & own:
            callers.setdefault(called, []).append(name)
    return callers


def _callees_first(names: Iterable[str], prescans: Mapping[str, Prescan]) -> list[str]:
    """Return the functions in an order in which those that one calls, by their last names, come before it."""
    wanted = list(names)
    by_last: dict[str, list[str]] = {}
    for name in wanted:
        by_last.setdefault(name.rpartition(".")[2], []).append(name)
    ordered: dict[str, None] = {}
    seen: set[str] = set()
    for root in wanted:
        stack = [(root, False)]
        while stack:
            name, is_left = stack.pop()
            if is_left:
                ordered[name] = None
            elif name not in seen:
                seen.add(name)
                stack.append((name, True))
                called = sorted(prescans[name].names & by_last.keys(), reverse=True)
                stack += [(callee, False) for last in called for callee in by_last[last] if callee not in seen]
    return list(ordered)


def summarise(module: Module, path: str, sanitizers: frozenset[str], places: Places) -> dict[str, JSON]:
    """Return what other modules need to know of this one, as JSON."""
    return Summary(module, path, sanitizers, places).to_json()


def follow_bodies(context: Context) -> None:
    """Follow the statements of a module and of its classes outside functions."""
    module = context.module
    flow = FunctionFlow(context, is_module_body=True)
    flow.block([node for node in module.statements if not isinstance(node, cst.FunctionDef | cst.ClassDef)], {})
    for facts in module.classes.values():
        flow = FunctionFlow(context, facts.name)
        names: dict[str, Taint] = {}
        flow.block(facts.rest, names)
        for name, carried in names.items():
            flow.keep(f"{module.name}.{facts.name}#{name}", carried)
        for statement in facts.rest:
            match statement:
                case cst.AnnAssign(target=cst.Name(value=name), annotation=annotation):
                    flow.keep(f"{module.name}.{facts.name}#{name}", flow.annotated(annotation))


def streams_of(module: Module) -> frozenset[str]:
    """Return the names of the functions that a streaming response of the module is made of."""
    names = set()
    for call in module.calls:
        if module.table.streams(module.called(call) or "") or module.table.streams(f".{last_name(call.func)}"):
            for value in (argument(call, 0), argument(call, None, "content", "streaming_content", "response")):
                names.add(_streamed_name(value))
    return frozenset(names - {""})


def _streamed_name(value: cst.BaseExpression | None) -> str:
    """Return the name of the generator that a streaming response is given, also through a wrapper."""
    while isinstance(value, cst.Call) and last_name(value.func) in _STREAM_WRAPPERS:
        value = argument(value, 0)
    return last_name(value.func if isinstance(value, cst.Call) else value)


def local_facts(module: Module) -> Facts:
    """Return what the module says without following anything: bases of its classes, registered handlers, aliases."""
    facts = Facts()
    for name, definition in module.classes.items():
        qualified = f"{module.name}.{name}"
        facts.bases[qualified] = definition.bases
        if definition.fields:
            facts.fields[qualified] = definition.fields
    facts.bases = module.table.with_mixins(facts.bases)
    facts.rows = frozenset(
        f"{module.name}.{name}" for name, definition in module.classes.items() if definition.is_row
    )
    facts.handlers, facts.routes = dict(module.registered.handlers), frozenset(module.registered.routes)
    hands_on = module.is_package or not (module.functions or module.classes)
    facts.aliases = {
        f"{module.name}.{name}": target
        for name, target in module.imports.items()
        if hands_on or name.endswith(_NAMES_OF_ERRORS)
    }
    return facts


def _functions_of(module: Module) -> Iterator[tuple[str, _Owned]]:
    """Yield the qualified name of each function and method, with the class and the node; methods first, since they
    fill objects that functions show."""
    for facts in module.classes.values():
        for method in facts.methods.values():
            yield f"{module.name}.{facts.name}.{method.name.value}", (facts.name, method)
    for function in module.functions.values():
        yield f"{module.name}.{function.name.value}", (None, function)


def _unknown_facts(function: Function, path: str) -> FunctionFacts:
    is_property = any(decorator_name(decorator) in _PROPERTIES for decorator in function.decorators)
    is_property = is_property or function.name.value == TEXT
    return replace(signature_of(function, path), is_property=is_property)


def _item(origin: Origin, path: tuple[str, ...], file: str, text: str) -> Item:
    name = "" if origin.kind in {ERROR, MAYBE} else origin.name
    if origin.kind in LEAKS or origin.kind == PROCESS:
        return Item(origin.kind, name, path, file, origin.place, text)
    return Item(origin.kind, name, path, "", 0, "")


def _items(
    origins: Iterable[tuple[tuple[str, ...], Origin]], names: set[str], file: str, text: str
) -> tuple[Item, ...]:
    """Return the items for origins at paths, each kind and name once, and no parameter but these."""
    items: dict[tuple[str, str, tuple[str, ...]], Item] = {}
    for path, origin in origins:
        if origin.kind == PARAMETER and split_name(origin.name)[0] not in names:
            continue
        item = _item(origin, path, file, text)
        before = items.setdefault(item[:3], item)
        if item.line < before.line:
            items[item[:3]] = item
    ordered = sorted(items.values())
    if len(ordered) > _MOST_ITEMS:
        ordered.sort(key=lambda item: (item.kind not in LEAKS, item.name.count("#") + len(item.path)))
    return tuple(ordered[:_MOST_ITEMS])


def _calls_init(module: Module, function: Function) -> bool:
    return any(
        isinstance(node, cst.Call) and last_name(node.func) == "__init__" for node in module.nodes_of(function)
    )
