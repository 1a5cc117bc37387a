"""Follows what is put into names, attributes and containers, in one function and into what outlives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import libcst as cst

from ...tables.python_calls import READS
from ..syntax import elements, positional, string_value
from .context import Context, Environment, Kept
from .values import (
    ANY,
    ELEMENT,
    ERROR,
    INSTANCE,
    LEAKS,
    NOTHING,
    OUTPUT,
    PARAMETER,
    PROCESS,
    STORE,
    Origin,
    Taint,
    at,
    below,
    bounded,
    elements_of,
    of_kind,
)

Parts = tuple[str, ...]
_KEPT = frozenset({*LEAKS, PROCESS, STORE, INSTANCE})


@dataclass
class Assignments:
    """One function: `parameters` are those of it and of the functions around it, `effects` what it puts into its
    parameters and into stores, `shared` the module's names that it declares global. `knows_process`: it has met a
    process, of which a test may show that it failed."""

    context: Context
    class_name: str | None = None
    parameters: frozenset[str] = frozenset()
    shared: set[str] = field(default_factory=set)
    is_module_body: bool = False
    knows_process: bool = False
    effects: dict[tuple[str, str, tuple[str, ...], Origin], None] = field(default_factory=dict)

    def evaluate(self, node: cst.BaseExpression | None, names: Environment) -> Taint:
        """Return what the value carries, and report the sinks in the expression."""
        raise NotImplementedError

    def report_assigned(self, target: cst.Attribute | cst.Subscript, carried: Taint) -> bool:
        """Report what is put into a response, as `response.headers[…] = …`. Return whether it was that."""
        raise NotImplementedError

    def bind(
        self,
        target: cst.BaseExpression,
        carried: Taint,
        names: Environment,
        value: cst.BaseExpression | None = None,
    ) -> None:
        """Give a target what a value carries."""
        match target:
            case cst.Name(value=name):
                names[name] = carried
                if name in self.shared or self.is_module_body:
                    self.keep(f"{self.context.module.name}.{name}", carried)
            case cst.StarredElement(value=inner):
                self.bind(inner, carried, names)
            case cst.Tuple() | cst.List():
                self._unpack(elements(target) or [], carried, names, value)
            case cst.Attribute() | cst.Subscript():
                if not self.report_assigned(target, carried):
                    self._assign(target, carried, names)

    def _unpack(
        self,
        targets: list[cst.BaseExpression],
        carried: Taint,
        names: Environment,
        value: cst.BaseExpression | None,
    ) -> None:
        values = elements(value) if isinstance(value, cst.Tuple | cst.List) else None
        if values is not None and len(values) == len(targets):
            parts = [self.evaluate(part, names) if carried else NOTHING for part in values]
            for target, carried_part, part in zip(targets, parts, values, strict=True):
                self.bind(target, carried_part, names, part)
            return
        process = frozenset(origin for origin in of_kind(carried, PROCESS) if not origin.path)
        for index, target in enumerate(targets):
            if process and isinstance(target, cst.BaseExpression):
                self.bind(target, below(carried - process, str(index)) | _stream(process, index, len(targets)), names)
            else:
                is_star = isinstance(target, cst.StarredElement)
                element = elements_of(carried) if is_star else below(carried, str(index))
                self.bind(target, at(element, ELEMENT) if is_star else element, names)

    def put(self, target: cst.BaseExpression, parts: Sequence[str], carried: Taint, names: Environment) -> None:
        """Put something into the parts of what an expression stands for: into the name at its start, and into the
        store or the parameter that it is."""
        self.put_into(self.evaluate(target, names), target, parts, carried, names)

    def put_into(
        self,
        holder: Taint,
        target: cst.BaseExpression | None,
        parts: Sequence[str],
        carried: Taint,
        names: Environment,
    ) -> None:
        """Do what `put` does; `holder` is what the target carries."""
        path = tuple(part.strip("[]") for part in parts)
        self._put_into(holder, at(carried, *path))
        if target is not None:
            self._change(target, path, carried, names)

    def _assign(self, target: cst.Attribute | cst.Subscript, carried: Taint, names: Environment) -> None:
        key = target.attr.value if isinstance(target, cst.Attribute) else index_of(target)
        if key.startswith("__"):  # `error.__cause__ = other` says nothing to a client
            return
        self._put_into(self.evaluate(target.value, names), at(carried, key))
        self._change(target, (), carried, names)

    def _change(self, target: cst.BaseExpression, parts: Parts, carried: Taint, names: Environment) -> None:
        """Let the name at the start of an expression carry what is put into the parts of it."""
        chain = _chain(target)
        if chain is None:
            return
        root, own = chain
        path = (*own, *parts)
        if root in names:
            before = names[root]
            if path and not {ANY, ELEMENT} & set(path):
                before = frozenset(origin for origin in before if origin.path[: len(path)] != path)
            names[root] = bounded(before | at(carried, *path))

    def remove(self, target: cst.BaseExpression, parts: Parts, names: Environment) -> None:
        """Forget what the name at the start of an expression carries at the parts of it."""
        self._change(target, parts, NOTHING, names)

    def _put_into(self, holder: Taint, carried: Taint) -> None:
        """Put something into the stores and the parameters that an object is; `self` is one of its class's."""
        for origin in holder:
            if origin.path:
                continue
            if origin.kind == STORE:
                self.keep(origin.name, carried)
            elif origin.kind == PARAMETER:
                self._affect(PARAMETER, origin.name, carried)
                parameter, *parts = origin.name.split("#")
                if parameter == "self" and self.class_name is not None:
                    kind = f"{self.context.module.name}.{self.class_name}"
                    own = "#".join((kind, *(part.strip("[]") for part in parts)))
                    self.keep(own, carried - of_kind(carried, PARAMETER))

    def keep(self, store: str, carried: Taint) -> None:
        """Note that a store holds something from now on."""
        root, *parts = store.split("#")
        for origin in carried:
            if origin.kind == PARAMETER:
                self._affect(STORE, store, frozenset({origin}))
            elif origin.kind in _KEPT and not origin.name.startswith(store) and self.context.gathered is not None:
                path = (*parts, *origin.path)
                self.context.gathered.keep(Kept(root, path, origin.at(())))

    def _affect(self, kind: str, target: str, carried: Taint) -> None:
        for origin in carried:
            if (origin.kind in _KEPT or origin.kind == PARAMETER) and origin.name != target:
                self.effects[(kind, target, origin.path, replace(origin, path=()))] = None


def key_of(expression: cst.BaseExpression | None) -> str:
    """Return a literal key as a part of a path; `*` for one that is not known."""
    if isinstance(expression, cst.Integer):
        return expression.value
    text = string_value(expression)
    return ANY if text is None else text.replace("#", "_").replace("()", "_") or "_"


def index_of(subscript: cst.Subscript) -> str:
    """Return `key_of` of `value[key]`; `*` for a slice."""
    first = subscript.slice[0].slice if subscript.slice else None
    return key_of(first.value) if isinstance(first, cst.Index) and len(subscript.slice) == 1 else ANY


def _chain(expression: cst.BaseExpression) -> tuple[str, tuple[str, ...]] | None:
    """Return the name at the start of `a.b["c"].get(d)` and the parts behind it; None if there is no name."""
    parts: list[str] = []
    while not isinstance(expression, cst.Name):
        match expression:
            case cst.Attribute(value=inner, attr=attribute):
                parts.append(attribute.value)
            case cst.Subscript(value=inner):
                parts.append(index_of(expression))
            case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value=method))) if method in READS:
                keys = positional(expression)
                parts.append(key_of(keys[0]) if keys else ANY)
            case cst.Await(expression=inner):
                pass
            case _:
                return None
        expression = inner
    return expression.value, tuple(reversed(parts))


def _stream(process: Taint, index: int, count: int) -> Taint:
    """Return what `communicate()` gives at an index, or `exec_command()`, which gives three."""
    if index == count - 1:
        return frozenset(Origin(ERROR, "the process's stderr", origin.place) for origin in process)
    if index == count - 2:
        return frozenset(replace(origin, kind=OUTPUT) for origin in process)
    return NOTHING
