"""Finds what in a module is plugport's hook marker, under whatever name it was handed on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import libcst as cst

from ...hookspecs import PROJECT
from ..engine.contract import JSON, SourceFile
from ..engine.imports import imported_names, package_of, qualified_name
from .literals import integer
from .syntax import (
    FUNCTIONS,
    argument,
    elements,
    every_node,
    getattr_as_attribute,
    last_name,
    own_nodes,
    parameter_names,
    positional,
    statements,
    string_value,
    targets_of,
)

Options: TypeAlias = Mapping[str, JSON]
"""The options of a marker that are literals, by name; of others the value is `UNKNOWN`."""
UNKNOWN = "…"
_PACKAGE = "plugport.hookspecs"
MARKERS = frozenset({f"{_PACKAGE}.hookimpl", f"{_PACKAGE}.specs.hookimpl"})
_MARKER_CLASSES = frozenset({"pluggy.HookimplMarker", "pluggy._hooks.HookimplMarker"})
_PROJECTS = frozenset({f"{_PACKAGE}.PROJECT", f"{_PACKAGE}.specs.PROJECT"})
_PARTIALS = frozenset({"functools.partial"})
_HOLDERS = frozenset({"types.SimpleNamespace", "dict"})
_ROUNDS = 3
"""A marker may be handed on before the line that defines it, in a function's body."""


@dataclass(frozen=True, slots=True)
class Markers:
    """What a module offers, by dotted name within it (`impl`, `Hooks.impl`): `names` are markers, and what a call of
    `makers` gives is one. Each comes with the options that it sets already."""

    names: dict[str, Options] = field(default_factory=dict)
    makers: dict[str, Options] = field(default_factory=dict)


class HookMarkers:
    """The markers of one module. `offered` are those of the project's other modules, by dotted name."""

    def __init__(self, file: SourceFile, offered: Markers | None = None) -> None:
        self.own = Markers()
        self.aliases: dict[str, str] = {}
        self.scope = ""
        """The class whose body is read, with a dot behind it: its own names come first."""
        self.hidden: frozenset[str] = frozenset()
        """Names that mean something else in the function that is read."""
        self._project = offered or Markers()
        self._constants: dict[str, str] = {}
        package = package_of(file) if file.module is not None else None
        nodes = every_node(file.tree())
        for node in nodes:
            if isinstance(node, cst.Import | cst.ImportFrom):
                for name, dotted in imported_names(node, package):
                    self._import(name, dotted)
        for _ in range(_ROUNDS):
            before = len(self.own.names), len(self.own.makers), len(self.aliases)
            self._read(file.tree(), "")
            if before == (len(self.own.names), len(self.own.makers), len(self.aliases)):
                break

    def options_of(self, expression: cst.BaseExpression) -> Options | None:
        """Return the options that a marker sets; None if the expression is no marker."""
        if isinstance(expression, cst.Call):
            return self._options_of_call(expression)
        if isinstance(expression, cst.IfExp):
            return _first(self.options_of(expression.body), self.options_of(expression.orelse))
        if isinstance(expression, cst.BooleanOperation):
            return _first(self.options_of(expression.left), self.options_of(expression.right))
        return self._lookup(expression, self.own.names, self._project.names, MARKERS)

    def text(self, expression: cst.BaseExpression) -> str | None:
        """Return the text of a literal, or of a name that holds one."""
        if isinstance(expression, cst.Name):
            return self._constants.get(expression.value)
        return string_value(expression)

    def literal(self, expression: cst.BaseExpression) -> JSON:
        """Return the value of an option: a literal, a name that holds a text, or `UNKNOWN`."""
        if isinstance(expression, cst.Name) and expression.value in {"True", "False", "None"}:
            return {"True": True, "False": False, "None": None}[expression.value]
        if isinstance(expression, cst.Integer):
            return integer(expression)
        text = self.text(expression)
        return UNKNOWN if text is None else text

    def _import(self, name: str, dotted: str) -> None:
        self.aliases[name] = dotted
        if name == "*":
            module = dotted.removesuffix("*")
            for offered in (*MARKERS, *self._project.names, *self._project.makers):
                rest = offered.removeprefix(module)
                if rest != offered and "." not in rest:
                    self.aliases[rest] = offered

    def _read(self, holder: cst.Module | cst.ClassDef, prefix: str) -> None:
        """Read what a module or a class binds; what stands in functions counts for the module, as imports do."""
        for node in own_nodes(statements(holder), (cst.ClassDef, cst.Lambda)):
            if isinstance(node, cst.ClassDef):
                self.scope, outer = f"{prefix}{node.name.value}.", self.scope
                self._read(node, self.scope)
                self.scope = outer
            elif isinstance(node, cst.FunctionDef):
                self._read_function(node, prefix)
            elif isinstance(node, cst.Assign | cst.AnnAssign | cst.NamedExpr) and node.value is not None:
                for target in targets_of(node):
                    self._assign(target, node.value, prefix)

    def _assign(self, target: cst.BaseExpression, value: cst.BaseExpression, prefix: str) -> None:
        names, values = elements(target), elements(value)
        if names is not None and values is not None and len(names) == len(values):
            for inner, part in zip(names, values, strict=True):
                self._assign(inner, part, prefix)
        if not isinstance(target, cst.Name):
            return
        name = prefix + target.value
        if isinstance(value, cst.Lambda):
            self._note_wrapper(name, parameter_names(value), [value.body])
        elif (text := string_value(value)) is not None:
            self._constants[name] = text
        elif (options := self.options_of(value)) is not None:
            self.own.names[name] = options
        elif (options := self._lookup(value, self.own.makers, self._project.makers, frozenset())) is not None:
            self.own.makers[name] = options
        elif (dotted := self._qualified(value)) is not None:
            self.aliases.setdefault(name, dotted)
        else:
            for key, part in self._parts_of(value):
                if (options := self.options_of(part)) is not None:
                    self.own.names[f"{name}.{key}"] = options

    def _read_function(self, function: cst.FunctionDef, prefix: str) -> None:
        """Note a function that returns a marker, and a decorator that applies one."""
        own = own_nodes(statements(function.body), (*FUNCTIONS, cst.ClassDef, cst.Lambda))
        returned = [node.value for node in own if isinstance(node, cst.Return) and node.value is not None]
        self._note_wrapper(prefix + function.name.value, parameter_names(function), returned)

    def _note_wrapper(self, name: str, parameters: list[str], returned: list[cst.BaseExpression]) -> None:
        for value in returned:
            applied = self.applied(value)
            if applied is not None and isinstance(applied[1], cst.Name) and applied[1].value in parameters[:1]:
                self.own.names[name] = {
                    key: option for key, option in applied[0].items() if option != UNKNOWN or key == "specname"
                }
            elif (options := self.options_of(value)) is not None:
                self.own.makers[name] = {key: option for key, option in options.items() if option != UNKNOWN}

    def applied(self, node: cst.CSTNode) -> tuple[Options, cst.BaseExpression] | None:
        """Return the options and the function of `hookimpl(function)` and `hookimpl(…)(function)`; None for any other
        expression."""
        if not isinstance(node, cst.Call):
            return None
        function = argument(node, 0, "function")
        options = self.options_of(node.func)
        if function is None or options is None:
            return None
        return {**options, **self._keywords(node, "function")}, function

    def _options_of_call(self, call: cst.Call) -> Options | None:
        """Return the options of a call that makes a marker: pluggy's class, a call with options alone, a partial, or
        a function that returns one."""
        called = self._qualified(call.func)
        values = positional(call)
        if called in _MARKER_CLASSES:
            project = argument(call, 0, "project_name")
            return {} if project is not None and self._is_plugport(project) else None
        if called in _PARTIALS and values:
            options = self.options_of(values[0])
            return None if options is None else {**options, **self._keywords(call)}
        if (attribute := getattr_as_attribute(call)) is not None:
            return self.options_of(attribute)
        made = self._lookup(call.func, self.own.makers, self._project.makers, frozenset())
        if made is not None:
            return {**made, **self._keywords(call)}
        options = self.options_of(call.func)
        if options is None or values or argument(call, None, "function") is not None:
            return None
        return {**options, **self._keywords(call)}

    def _keywords(self, call: cst.Call, *without: str) -> dict[str, JSON]:
        return {
            item.keyword.value: self.literal(item.value)
            for item in call.args
            if item.keyword is not None and item.keyword.value not in without
        }

    def _lookup(
        self,
        expression: cst.BaseExpression,
        own: Mapping[str, Options],
        project: Mapping[str, Options],
        known: frozenset[str],
    ) -> Options | None:
        local = _local_name(expression)
        if local is not None and local.partition(".")[0] in self.hidden:
            return None
        for name in () if local is None else (self.scope + local, local):
            if name in own:
                return own[name]
        dotted = self._qualified(expression)
        if dotted is None:
            return None
        return {} if dotted in known else project.get(dotted)

    def _is_plugport(self, project: cst.BaseExpression) -> bool:
        return self.text(project) == PROJECT or self._qualified(project) in _PROJECTS

    def _qualified(self, expression: cst.CSTNode) -> str | None:
        """Return the dotted name through imports, also of what `importlib.import_module("…")` gives."""
        attributes: list[str] = []
        base = expression
        while isinstance(base, cst.Attribute):
            attributes.append(base.attr.value)
            base = base.value
        if not isinstance(base, cst.Call):
            return qualified_name(expression, self.aliases.get)
        if qualified_name(base.func, self.aliases.get) != "importlib.import_module":
            return None
        module = string_value(argument(base, 0, "name"))
        return None if module is None else ".".join([module, *reversed(attributes)])

    def _parts_of(self, value: cst.BaseExpression) -> Iterator[tuple[str, cst.BaseExpression]]:
        """Yield key and value of a dict display, and of `SimpleNamespace(…)` and `dict(…)`."""
        if isinstance(value, cst.Dict):
            for element in value.elements:
                if isinstance(element, cst.DictElement) and (key := string_value(element.key)) is not None:
                    yield key, element.value
        elif isinstance(value, cst.Call) and (self._qualified(value.func) or last_name(value.func)) in _HOLDERS:
            yield from ((item.keyword.value, item.value) for item in value.args if item.keyword is not None)


def _first(*options: Options | None) -> Options | None:
    return next((item for item in options if item is not None), None)


def _local_name(expression: cst.BaseExpression) -> str | None:
    """Return `Hooks.impl` of that expression and of `Hooks["impl"]`, without any import."""
    if isinstance(expression, cst.Subscript) and len(expression.slice) == 1:
        index = expression.slice[0].slice
        key = string_value(index.value) if isinstance(index, cst.Index) else None
        base = _local_name(expression.value)
        return None if key is None or base is None else f"{base}.{key}"
    return qualified_name(expression, lambda name: name)
