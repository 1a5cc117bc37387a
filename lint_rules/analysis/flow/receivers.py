"""Of which class an object is, as far as a function says it: by annotations, by the calls that made it, by `self`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from ..syntax import (
    FUNCTIONS,
    Function,
    argument,
    children,
    last_name,
    own_nodes,
    parameters,
    statements,
    string_value,
    targets_of,
)
from .module import ClassFacts, Module, OwnValues, Values
from .sink_table import Bases

Kinds = frozenset[str]
UNKNOWN: Kinds = frozenset()
_ASSIGNMENTS = (cst.Assign, cst.AnnAssign, cst.AugAssign, cst.NamedExpr)
RESPONSE = "starlette.responses.Response"
_MOST_NAMES = 5
"""Names through which a class is looked for."""
_NAMES_OF_RESPONSES = frozenset({"response", "resp"})
_NO_KINDS = frozenset({"None", "Optional", "Union", "Annotated", "Any", "typing.Any", "object"})


class Receivers:
    """The classes of the objects in one function (None: in the module's own statements). `outer` are those of the
    function around it. A class is result by its qualified name; an object may be of one of several."""

    def __init__(
        self,
        module: Module,
        bases: Bases,
        function: Function | None = None,
        class_name: str | None = None,
        outer: Receivers | None = None,
    ) -> None:
        self.module, self.table, self.bases = module, module.table, bases
        self._function, self._class_name, self._outer = function, class_name, outer
        self._asked: set[str] = set()
        self._known: dict[str, Kinds] = {}

    def of(self, node: cst.BaseExpression) -> Kinds:
        """Return the classes of what the expression gives; none if nothing says it."""
        match node:
            case cst.Name(value="self" | "cls") if self._class_name is not None:
                return frozenset({f"{self.module.name}.{self._class_name}"})
            case cst.Name(value=name):
                return self._of_name(name)
            case cst.Attribute(value=cst.Name(value="self" | "cls"), attr=attribute) if self._class_name is not None:
                return self._of_own_attribute(attribute.value)
            case cst.Await(expression=inner):
                return self.of(inner)
            case cst.Call():
                return self._of_call(node)
            case cst.IfExp(body=body, orelse=orelse):
                return self.of(body) | self.of(orelse)
            case cst.BooleanOperation(left=left, right=right):
                return self.of(left) | self.of(right)
        return UNKNOWN

    def paths(self, node: cst.BaseExpression) -> Iterator[tuple[str, Kinds]]:
        """Yield each way to read `a.b.c` as a path: `c` from `a.b`, with the classes of that, and `b.c` from `a`."""
        path = ""
        while isinstance(node, cst.Attribute | cst.Subscript):
            if isinstance(node, cst.Subscript):
                path, node = f"[].{path}" if path else "[]", node.value
            else:
                path, node = f"{node.attr.value}.{path}" if path else node.attr.value, node.value
            yield path, self.of(node)

    def _of_name(self, name: str) -> Kinds:
        if name in self._known:
            return self._known[name]
        if name in self._asked or len(self._asked) >= _MOST_NAMES:  # a name that is given its own value
            return UNKNOWN
        is_first = not self._asked
        self._asked.add(name)
        try:
            kinds = self._of_values(name)
            if is_first:
                self._known[name] = kinds
            return kinds
        finally:
            self._asked.discard(name)

    def _of_values(self, name: str) -> Kinds:
        """Return the classes of what the name is given."""
        values = self._values.get(name)
        if values is None and self._outer is not None:
            return self._outer._of_name(name)
        kinds: Kinds = UNKNOWN
        for value, is_annotation in values or ():
            kinds |= self._annotated(value) if is_annotation else self.of(value)
        return frozenset({RESPONSE}) if not kinds and name in _NAMES_OF_RESPONSES else kinds

    @cached_property
    def _values(self) -> Values:
        """What each name of the function is result, and whether that is an annotation."""
        known = self.module.values_by_function
        if id(self._function) not in known:
            known[id(self._function)] = self._read_values()
        return known[id(self._function)]

    def _read_values(self) -> Values:
        values: Values = {}
        function = self._function
        if function is not None:
            for parameter in parameters(function):
                annotation = parameter.annotation
                values[parameter.name.value] = [] if annotation is None else [(annotation.annotation, True)]
            nodes = own_nodes(statements(function.body))
        else:
            top = [item for item in self.module.statements if not isinstance(item, (*FUNCTIONS, cst.ClassDef))]
            nodes = own_nodes(top)
        for node in nodes:
            kind = type(node)
            if kind is cst.WithItem and isinstance(node, cst.WithItem):
                if node.asname is not None and isinstance(node.asname.name, cst.Name):
                    values.setdefault(node.asname.name.value, []).append((node.item, False))
                continue
            if kind not in _ASSIGNMENTS:
                continue
            is_annotated = isinstance(node, cst.AnnAssign)
            value = node.annotation.annotation if isinstance(node, cst.AnnAssign) else getattr(node, "value", None)
            for target in targets_of(node):
                if isinstance(target, cst.Name) and isinstance(value, cst.BaseExpression):
                    values.setdefault(target.value, []).append((value, is_annotated))
        return values

    def _of_own_attribute(self, name: str) -> Kinds:
        """Return the classes of what the methods of the class give an attribute of `self`."""
        key = f"self.{name}"
        facts = self.module.classes.get(self._class_name or "")
        if facts is None or key in self._asked:
            return UNKNOWN
        if key in self._known:
            return self._known[key]
        is_first = not self._asked
        self._asked.add(key)
        kinds: Kinds = UNKNOWN
        for method, value, is_annotation in self._own_values(facts).get(name, ()):
            if is_annotation:
                kinds |= self._annotated(value)
            else:
                within = Receivers(self.module, self.bases, method, self._class_name)
                within._asked = self._asked
                kinds |= within.of(value)
        self._asked.discard(key)
        if is_first:
            self._known[key] = kinds
        return kinds

    def _own_values(self, facts: ClassFacts) -> OwnValues:
        """Return what the methods of the class give each attribute of `self`; it is read once for each class."""
        known = self.module.own_values
        if facts.name not in known:
            values: OwnValues = {}
            for method in facts.methods.values():
                for node in own_nodes(statements(method.body)):
                    if type(node) in (cst.Assign, cst.AnnAssign):
                        _read_own(node, method, values)
            known[facts.name] = values
        return known[facts.name]

    def _of_call(self, call: cst.Call) -> Kinds:
        qualified = self.module.called(call)
        last = last_name(call.func)
        if last in {"cast", "contextlib.closing"} and (kind := argument(call, 0, "typ")) is not None:
            return self._annotated(kind)
        if qualified is not None:
            if (result := self.table.given_by(qualified)) is not None:
                return frozenset({result})
            if _is_class(qualified) or qualified in self.bases:
                return frozenset({qualified})
        if (own := self._own_result(qualified)) is not None:
            return own
        for path, kinds in self.paths(call.func):
            given_by = (self.table.given_by(f"{kind}.{path}") for kind in kinds)
            if reached := frozenset(kind for kind in given_by if kind is not None):
                return reached
        if (result := self.table.given_by(f".{last}")) is not None:
            return frozenset({result})
        if qualified is not None and self.module.is_known(call.func) and not qualified.startswith(self.module.name):
            return frozenset({f"{qualified}()"})  # known to be nothing of the tables
        return UNKNOWN

    def _own_result(self, qualified: str | None) -> Kinds | None:
        """Return what a function of the module says that it returns."""
        name = (qualified or "").removeprefix(f"{self.module.name}.")
        function = self.module.functions.get(name)
        if function is None:
            return None
        return self._annotated(function.returns.annotation) if function.returns is not None else UNKNOWN

    def _annotated(self, annotation: cst.BaseExpression) -> Kinds:
        """Return the classes that an annotation names: of a union, and of `Annotated` and `Optional`, the parts."""
        text = string_value(annotation)
        if text is not None:
            try:
                annotation = cst.parse_expression(text)
            except cst.ParserSyntaxError:
                return UNKNOWN
        match annotation:
            case cst.BinaryOperation(left=left, right=right):
                return self._annotated(left) | self._annotated(right)
            case cst.Subscript(value=value, slice=index):
                if last_name(value) in {"Annotated", "Optional", "Union"}:
                    parts = [part for item in index for part in children(item.slice)]
                    parts = parts[:1] if last_name(value) == "Annotated" else parts
                    return frozenset().union(*(self._annotated(part) for part in parts))  # type: ignore[arg-type]
                annotation = value
        qualified = self.module.qualified(annotation)
        return UNKNOWN if qualified is None or qualified in _NO_KINDS else frozenset({qualified})


def _read_own(node: cst.CSTNode, method: Function, values: OwnValues) -> None:
    for target in targets_of(node):
        match target:
            case cst.Attribute(value=cst.Name(value="self" | "cls"), attr=attribute):
                of_name = values.setdefault(attribute.value, [])
                if isinstance(node, cst.AnnAssign):
                    of_name.append((method, node.annotation.annotation, True))
                elif isinstance(node, cst.Assign) and isinstance(node.value, cst.Call | cst.Name):
                    of_name.append((method, node.value, False))


def _is_class(qualified: str) -> bool:
    last = qualified.rpartition(".")[2]
    return last[:1].isupper() and any(letter.islower() for letter in last)
