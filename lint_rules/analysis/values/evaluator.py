"""Evaluates expressions of one module to the values of `model`, as far as the source tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import libcst as cst

from ...tables.doubles import DOUBLES
from ...tables.kinds import Kind
from ..syntax import dotted_name, elements
from .annotations import Annotations
from .bindings import Binding, ModuleBindings, Scope, visible
from .calls import Calls
from .model import (
    DOUBLE,
    NOTHING,
    Class,
    Command,
    Double,
    Factory,
    Instance,
    Many,
    Method,
    Named,
    Own,
    Pair,
    ProjectFacts,
    Routine,
    Table,
    Value,
    best,
    decode,
    may_be_empty,
)
from .parameters import Parameters
from .steps import Steps
from .texts import Texts

DEEPEST = 40
"""Steps from an expression to its value, after which the value counts as unknown."""
_NOTHING = Kind("nothing")
_PROGRAMS = re.compile(r"(?:sh|plumbum\.cmd)\.([a-z]\w*)")
"""Names of sh and plumbum that are the program of that name."""


class Evaluator:
    """The values of one module. `kinds` are those that matter. `makers` are the dotted names that make or annotate a
    value, with its kind, `patterns` the same for many names at once, `constants` the names that are such a value. A
    value that cannot be told is None."""

    def __init__(
        self,
        bindings: ModuleBindings,
        module: str,
        kinds: Mapping[str, Kind],
        makers: Mapping[str, str],
        constants: Mapping[str, str],
        patterns: Sequence[tuple[re.Pattern[str], str]] = (),
        facts: ProjectFacts = NOTHING,
    ) -> None:
        self.bindings, self.module, self.facts = bindings, module, facts
        self.kinds, self.makers, self.constants, self.patterns = kinds, makers, constants, patterns
        self.classes: dict[str, Scope] = {}
        for scope in bindings.scope_at.values():
            if scope.is_class:
                self.classes[self.class_name(scope)] = scope
        self.guesses: dict[cst.CSTNode, str] = {}
        self._known: dict[tuple[object, object], Value | None] = {}
        self._tentative: set[tuple[object, object]] = set()
        self._open: set[object] = set()
        self._depth = 0
        self._cut = False
        self.parameters = Parameters(self)
        self.annotations = Annotations(self)
        self.calls = Calls(self)
        self.texts = Texts(self)
        self.steps = Steps(self)
        self.parameters.bind_all()
        self._known.clear()

    @property
    def is_idle(self) -> bool:
        """Whether no value is being evaluated."""
        return self._depth == 0

    def class_name(self, scope: Scope) -> str:
        """Return the dotted name of a class of this module."""
        return f"{self.module}.{scope.name}" if self.module else scope.name

    def about(self, kind: str) -> Kind:
        """Return what is known of a kind."""
        return self.kinds.get(kind, _NOTHING)

    def value(self, node: cst.CSTNode, scope: Scope) -> Value | None:
        """Return the value of an expression that stands in `scope`."""
        return self._once((node, scope), lambda: self._value(node, scope))

    def _once(self, key: tuple[object, object], make: Callable[[], Value | None]) -> Value | None:
        """Return `make()`, which is called once for each key; None while it runs, and after too many steps."""
        if key in self._known:
            return self._known[key]
        if key in self._tentative or key in self._open or self._depth > DEEPEST:
            self._cut = True
            return None
        self._open.add(key)
        self._depth += 1
        cut, self._cut = self._cut, False
        try:
            value = make()
        finally:
            self._open.discard(key)
            self._depth -= 1
        if value is not None or not self._cut or self._depth == 0:
            self._known[key] = value
        else:
            self._tentative.add(key)  # what was cut off may be known to another question
        if self._depth == 0:
            self._tentative.clear()
        self._cut = self._cut or cut
        return value

    def _value(self, node: cst.CSTNode, scope: Scope) -> Value | None:
        match node:
            case cst.Name(value=name):
                return self.name(name, scope, node)
            case cst.Attribute(value=inner, attr=cst.Name(value=name)):
                value = self.attribute(self.value(inner, scope), name, inner)
                if value is None and node in self.guesses and self.is_unknown(inner, scope):
                    return Instance(self.guesses[node])
                return value
            case cst.Call():
                return self.calls.result(node, scope)
            case cst.Await(expression=inner) | cst.NamedExpr(value=inner) | cst.StarredElement(value=inner):
                return self.value(inner, scope)
            case cst.Subscript(value=inner):
                return self.steps.subscript(node, self.value(inner, scope), scope)
            case cst.IfExp(body=left, orelse=right) | cst.BooleanOperation(left=left, right=right):
                return best([self.value(left, scope), self.value(right, scope)])
            case cst.BinaryOperation(left=left, operator=cst.Add(), right=right):
                return best([self.value(left, scope), self.value(right, scope)])
            case cst.Lambda():
                return Routine(self.bindings.scope_at[node])
            case cst.DictComp(value=inner):
                return Table(self.value(inner, scope))
            case cst.Dict(elements=items):
                values = (self.value(item.value, scope) for item in items)
                return Table(next((value for value in values if value is not None), None))
            case cst.ListComp(elt=inner) | cst.SetComp(elt=inner) | cst.GeneratorExp(elt=inner):
                return Many(self.value(inner, scope))
        parts = elements(node) if isinstance(node, cst.BaseExpression) else None
        return self._display(node, parts, scope) if parts is not None else None

    def _display(self, node: cst.CSTNode, parts: list[cst.BaseExpression], scope: Scope) -> Value:
        values = [
            self.steps.step(self.value(part.value, scope), "item")
            if isinstance(part, cst.StarredElement)
            else self.value(part, scope)
            for part in parts
        ]
        if isinstance(node, cst.Tuple) and not any(isinstance(part, cst.StarredElement) for part in parts):
            return Pair(tuple(values))
        return Many(next((value for value in values if value is not None), None))

    def name(self, name: str, scope: Scope, node: cst.CSTNode | None = None) -> Value | None:
        """Return the value of a name that is read in `scope`."""
        holder = self.bindings.holder(name, scope)
        if name in {"self", "cls"} and scope.owner is not None and (holder is None or name in holder.parameters):
            owner = self.class_name(scope.owner)
            return Own(owner) if name == "self" else Class(owner)
        if holder is None:
            return self._starred(name)
        return self.held(holder, name, node if holder is scope else None)

    def held(self, holder: Scope, name: str, node: cst.CSTNode | None = None) -> Value | None:
        """Return the value of what a scope binds to a name (or to `self.name`). `node`: the name where it is read."""
        if name in holder.imports:
            value = self.imported(holder.imports[name])
            if all(_is_none(binding.value) for binding in holder.bound.get(name, ())):
                return value
        if name in holder.annotations:
            around = holder.parent if name in holder.parameters else None
            if value := self.annotations.value(holder.annotations[name], around or holder):
                return value
        moment = self.bindings.moments.get(node) if node is not None else None
        values = [self.binding(binding) for binding in visible(holder.bound.get(name, []), moment)]
        if (value := best(values)) is not None:
            return self._grown(holder, name, value)
        for node_passed, origin in self.parameters.passed(holder, name) if holder.is_class else ():
            if (value := self.value(node_passed, origin)) is not None:
                return value
        if name in holder.parameters and (value := self.parameters.value(holder, name)) is not None:
            return value
        if name in holder.functions:
            function = holder.functions[name]
            return Routine(function.scope, function)
        if name in holder.classes:
            return Class(self.class_name(holder.classes[name]))
        return self._grown(holder, name, None)

    def binding(self, binding: Binding) -> Value | None:
        """Return the value that is bound."""
        value = self.value(binding.value, binding.scope)
        for step in binding.steps:
            value = self.steps.step(value, step)
        return value

    def _grown(self, holder: Scope, name: str, value: Value | None) -> Value | None:
        """Return a collection with what is added to it, if it was empty before."""
        if not may_be_empty(value):
            return value
        for growth in holder.grown.get(name, ()):
            added = self.value(growth.values[-1], growth.scope)
            if added is None:
                continue
            if growth.how in {"[]=", "set", "setdefault"}:
                return Table(added)
            if growth.how.startswith("[]"):
                return Table(Many(added))
            return added if growth.how in {"extend", "update", "+="} else Many(added)
        return value

    def _starred(self, name: str) -> Value | None:
        for module in self.bindings.module.stars:
            value = self.imported(f"{module}.{name}")
            if not isinstance(value, Named) or self.kind_of(value.name) is not None:
                return value
        return None

    def imported(self, dotted: str) -> Value | None:
        """Return what a dotted name of another module stands for."""
        return self._once(("imported", dotted), lambda: self._imported(dotted))

    def _imported(self, dotted: str) -> Value | None:
        seen: set[str] = set()
        while dotted not in seen:
            seen.add(dotted)
            dotted = self._behind_star(dotted)
            base, rest = dotted, list[str]()
            while base and base not in self.facts.names:
                base, _, last = base.rpartition(".")
                rest.insert(0, last)
            value = decode(self.facts.names[base]) if base else None
            if value is None:
                break
            if isinstance(value, Named) and not value.steps:
                dotted = ".".join([value.name, *rest])
                continue
            value = self.resolved(value)
            for name in rest:
                value = self.attribute(value, name, None)
            return value
        if dotted in self.constants:
            return Instance(self.constants[dotted])
        if (program := _PROGRAMS.fullmatch(dotted)) is not None:
            return Command((program.group(1),))
        return DOUBLE if DOUBLES.match(dotted) else Named(dotted)

    def _behind_star(self, dotted: str) -> str:
        """Return the name in the library from which a module of the project takes all names."""
        module, _, name = dotted.rpartition(".")
        for source in self.facts.stars.get(module, ()):
            if self.kind_of(f"{source}.{name}") is not None:
                return f"{source}.{name}"
        return dotted

    def resolved(self, value: Value | None) -> Value | None:
        """Return what a value of another module is, now that the facts of the project are known."""
        match value:
            case Named(name, steps) if steps:
                result = self.imported(name)
                for step in steps:
                    result = self._take(result, step)
                return result
            case Factory(inner):
                return Factory(self.resolved(inner))
            case Table(inner):
                return Table(self.resolved(inner))
            case Many(inner, is_manager):
                return Many(self.resolved(inner), is_manager)
            case Pair(parts):
                return Pair(tuple(map(self.resolved, parts)))
        return value

    def _take(self, value: Value | None, step: str) -> Value | None:
        if step.startswith("."):
            return self.attribute(value, step[1:], None)
        if step == "()":
            return self.calls.of_value(value)
        return self.steps.item(value, None) if step == "[]" else self.steps.step(value, step)

    def kind_of(self, dotted: str) -> str | None:
        """Return the kind of what a dotted name makes or annotates."""
        kind = self.makers.get(dotted)
        if kind is None:
            kind = next((kind for pattern, kind in self.patterns if pattern.fullmatch(dotted)), None)
        return kind

    def attribute(self, value: Value | None, name: str, node: cst.CSTNode | None) -> Value | None:
        """Return the value of an attribute. `node` is the expression before the dot, if there is one."""
        match value:
            case Instance(kind):
                held = self.about(kind).attribute(name)
                return Instance(held) if held is not None else Method(kind, name)
            case Named(base, steps):
                if (kept := self._unknown_attribute(name, node)) is not None:
                    return kept
                return Named(base, (*steps, f".{name}")) if steps else self.imported(f"{base}.{name}")
            case Own(owner) | Class(owner):
                return self.member(owner, name)
            case Double():
                return DOUBLE
            case Command(words):
                return value if name in {"bake", "run", "popen", "run_fg", "bgrun"} else Command((*words, name))
            case Many() | Table() | Pair():
                return None
        return self._unknown_attribute(name, node) if value is None else None

    def _unknown_attribute(self, name: str, node: cst.CSTNode | None) -> Value | None:
        """Return what is kept under an attribute's name on an object that is not known."""
        for _, binding in self.bindings.written.get(name, ()):
            if (value := self.binding(binding)) is not None and not isinstance(value, Double):
                return value
        for scope in self.classes.values():
            if f"self.{name}" in scope.bound and isinstance(value := self.held(scope, f"self.{name}"), Instance):
                return value
        if name in self.facts.state and dotted_name(node).rpartition(".")[2] in {"state", "g", "app"}:
            return self.resolved(decode(self.facts.state[name]))
        return None

    def member(self, owner: str, name: str) -> Value | None:
        """Return an attribute of an instance of a class of the project."""
        return self._once((owner, name), lambda: self._own_member(owner, name) or self._inherited(owner, name))

    def _own_member(self, owner: str, name: str) -> Value | None:
        scope = self.classes.get(owner)
        if scope is None:
            return self.resolved(decode(self.facts.members.get(owner, {}).get(name)))
        if (function := scope.functions.get(name)) is not None:
            routine = Routine(function.scope, function)
            return self.calls.of_value(routine) if self.calls.is_property(function) else routine
        for bound in (f"self.{name}", name):
            if (value := self.held(scope, bound)) is not None:
                return value
        return None

    def _inherited(self, owner: str, name: str) -> Value | None:
        for base in self.bases(owner):
            value: Value | None = None
            if isinstance(base, Class):
                value = self.member(base.name, name)
            elif isinstance(base, Instance):
                value = self.attribute(base, name, None)
            if value is not None:
                return value
        return None

    def bases(self, owner: str) -> list[Value]:
        """Return the bases of a class: classes of the project, and kinds."""
        scope = self.classes.get(owner)
        if scope is None:
            bases = [self.resolved(decode(base)) for base in self.facts.bases.get(owner, ())]
        else:
            bases = [self.value(base, scope.parent or scope) for base in scope.bases]
        return [self.instance_of(base) if isinstance(base, Named) else base for base in bases if base is not None]

    def instance_of(self, named: Named) -> Value:
        """Return an instance of what a name stands for, if a table knows it."""
        kind = self.kind_of(named.name) if not named.steps else None
        return Instance(kind) if kind is not None else named

    def is_a(self, owner: str, depth: int = 0) -> str | None:
        """Return the kind that a class of the project inherits from."""
        for base in self.bases(owner) if depth < DEEPEST else ():
            if isinstance(base, Instance):
                return base.kind
            if isinstance(base, Class) and (kind := self.is_a(base.name, depth + 1)) is not None:
                return kind
        return None

    def is_unknown(self, node: cst.CSTNode, scope: Scope) -> bool:
        """Return whether nothing is known of a value: neither its class nor the library that it comes from."""
        value = self.value(node, scope)
        if isinstance(node, cst.Name) and node.value in {"self", "cls"}:
            return False
        if isinstance(value, Named):
            return value.name.partition(".")[0] == self.module.partition(".")[0] != ""
        return value is None


def _is_none(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"
