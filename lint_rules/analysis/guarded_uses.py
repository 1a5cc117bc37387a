"""Tells which expressions of a module use a guarded API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import libcst as cst

from ..tables.doubles import DOUBLE_ATTRIBUTES
from ..tables.guarded_apis import (
    COMMANDS,
    CONTAINERS,
    ENGINE_LIBRARIES,
    ONLY_CONTAINERS_HAVE,
    REQUESTERS,
    Guard,
)
from .places import not_read
from .shell_commands import Words, commands_of_text, commands_of_words, program_of
from .syntax import every_node, last_name, passed_values, positional
from .values.bindings import Scope
from .values.evaluator import Evaluator
from .values.holes import MARK, UNKNOWN
from .values.model import Command, Getter, Instance, Method, Named, Own, Value
from .values.runs import Effects, Reading, Run, Runs

_OTHER_TYPE = re.compile(r"--type[ =](?!container\b)\w")
"""`docker inspect --type=image` asks for no container."""
_TAKES_VALUE = frozenset(
    {"-H", "--host", "-c", "--context", "--config", "-l", "--log-level", "--url", "--connection"}
)
_STATE = re.compile(r"\{\{.*\.(State|NetworkSettings|RestartCount|HostConfig|Mounts)\b")
"""A format that asks for the state of a container."""


class GuardedUses:
    """The uses of guarded APIs in one module."""

    def __init__(self, evaluator: Evaluator, tree: cst.Module, guards: Iterable[Guard]) -> None:
        self._evaluator = evaluator
        self._guards = tuple(guards)
        nodes = every_node(tree)
        decorators = {node.decorator for node in nodes if isinstance(node, cst.Decorator)}
        self._not_read = {target for node in nodes for target in not_read(node)}
        self._of_doubles = set(_read_of_doubles(nodes))
        self.runs = Runs(evaluator, decorators, self._is_settled)
        self._effects: dict[cst.Call, Effects] = {}
        self._guess(nodes)

    def of(self, guard: Guard, node: cst.BaseExpression, scope: Scope) -> str | None:
        """Return what of the guarded API an expression uses, in words; None if it uses nothing."""
        match node:
            case cst.Attribute(attr=cst.Name(value=name)):
                if node in self._not_read or node in self._of_doubles:
                    return None
                return self._named(node, scope, guard) or self._member(node.value, name, scope, guard)
            case cst.Name():
                return None if node in self._not_read else self._named(node, scope, guard)
            case cst.Subscript():
                value = self._evaluator.value(node, scope)
                return self._command(Run(value.words), guard) if isinstance(value, Command) else None
            case cst.Call():
                return self._call(node, scope, guard)
        return None

    def _named(self, node: cst.Attribute | cst.Name, scope: Scope, guard: Guard) -> str | None:
        if not guard.calls or (last_name(node) not in guard.words and isinstance(node, cst.Attribute)):
            return None
        value = self._evaluator.value(node, scope)
        if isinstance(value, Named) and not value.steps and value.name in guard.calls:
            return f"{value.name}()"
        return None

    def _member(self, node: cst.BaseExpression, name: str, scope: Scope, guard: Guard) -> str | None:
        if name not in guard.words:
            return None
        value = self._evaluator.value(node, scope)
        kind = self._kind_of(value, name)
        if kind is not None:
            return self._of_kind(kind, name, guard)
        if name in guard.anywhere and (value is None or isinstance(value, Named)):
            return f"`{name}`"
        return None

    def _kind_of(self, value: Value | None, name: str) -> str | None:
        """Return the kind whose attribute `name` is read."""
        evaluator = self._evaluator
        match value:
            case Instance(kind):
                return kind
            case Named(dotted, ()):
                return evaluator.kind_of(dotted)
            case Own(owner) if isinstance(evaluator.member(owner, name), Method | Instance | None):
                return evaluator.is_a(owner)
        return None

    def _of_kind(self, kind: str, name: str, guard: Guard) -> str | None:
        if name in guard.members.get(kind, frozenset()):
            return f"`{name}` of {kind}"
        return f"{kind}.{name}()" if f"{kind}.{name}" in guard.calls else None

    def _call(self, call: cst.Call, scope: Scope, guard: Guard) -> str | None:
        read = self._evaluator.calls.read(call, scope)
        if read is not None:
            return self._member(read.value, read.attr.value, scope, guard)
        if (use := self._getter(call, scope, guard)) is not None:
            return use
        if call not in self._effects:
            self._effects[call] = self.runs.of_call(call, scope)
        return next(self._uses(self._effects[call], guard), None)

    def _uses(self, effects: Effects, guard: Guard) -> Iterator[str]:
        items: list[Run | Reading | str] = [*effects.routes, *effects.runs, *effects.readings]
        for item in items:
            if (use := self._use(item, guard)) is not None:
                yield use

    def _use(self, item: Run | Reading | str, guard: Guard) -> str | None:
        if isinstance(item, Run):
            return self._command(item, guard)
        if isinstance(item, Reading):
            return self._of_kind(item.kind, item.name, guard)
        return "this route of the engine" if any(re.search(route, item) for route in guard.routes) else None

    def _is_settled(self, item: Run | Reading | str) -> bool:
        return any(self._use(item, guard) is not None for guard in self._guards)

    def _getter(self, call: cst.Call, scope: Scope, guard: Guard) -> str | None:
        """Return the use by an `attrgetter` or a `methodcaller` that is called, or applied to a collection."""
        evaluator = self._evaluator
        getter, value = evaluator.value(call.func, scope), None
        values = positional(call)
        if isinstance(getter, Getter):
            value = evaluator.value(values[0], scope) if values else None
        else:
            getters = [
                value for node in passed_values(call) if isinstance(value := evaluator.value(node, scope), Getter)
            ]
            if not getters:
                return None
            getter = getters[0]
            nodes = [*values, *([call.func.value] if isinstance(call.func, cst.Attribute) else [])]
            items = (evaluator.steps.step(evaluator.value(node, scope), "item") for node in nodes)
            value = next((item for item in items if isinstance(item, Instance)), None)
        for name in getter.path:
            if isinstance(value, Instance) and (use := self._of_kind(value.kind, name, guard)) is not None:
                return use
            value = evaluator.attribute(value, name, None)
        return None

    def _command(self, run: Run, guard: Guard) -> str | None:
        if not guard.commands:
            return None
        commands = commands_of_text(run.words[0]) if run.is_text else commands_of_words(run.words)
        for words in commands:
            if program_of(words[0]) in REQUESTERS and any(re.search(r, word) for word in words for r in guard.routes):
                return "this route of the engine"
            if (use := _asks(words, guard)) is not None:
                return use
        return None

    def _guess(self, nodes: list[cst.CSTNode]) -> None:
        """Note where `X.containers` can only be an engine's, though nothing is known of X: the module imports a
        library for engines, X is called after docker, or what comes of it is read as a container."""
        imports = [name for scope in self._scopes() for name in (*scope.imports.values(), *scope.stars)]
        is_engines_module = any(name.partition(".")[0] in ENGINE_LIBRARIES for name in imports)
        read_as_container = {
            node.value
            for node in nodes
            if isinstance(node, cst.Attribute) and node.attr.value in ONLY_CONTAINERS_HAVE
        }
        for node in nodes:
            match node:
                case cst.Attribute(value=client, attr=cst.Name(value="containers")) if (
                    is_engines_module or "docker" in last_name(_called(client)).lower()
                ):
                    self._evaluator.guesses[node] = CONTAINERS
        for name, made in self._made(nodes):
            is_read = made in read_as_container or any(
                isinstance(node, cst.Name) and node.value == name for node in read_as_container
            )
            if is_read and isinstance(made.func, cst.Attribute):
                self._evaluator.guesses[made.func.value] = CONTAINERS

    def _scopes(self) -> Iterator[Scope]:
        yield self._evaluator.bindings.module
        yield from self._evaluator.bindings.scope_at.values()

    def _made(self, nodes: list[cst.CSTNode]) -> Iterator[tuple[str, cst.Call]]:
        """Yield the calls `X.containers.METHOD(…)`, with the name that takes the result."""
        for node in nodes:
            match node:
                case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
                    made = value.expression if isinstance(value, cst.Await) else value
                    if isinstance(made, cst.Call) and _is_of_containers(made):
                        yield name, made
                case cst.Attribute(value=cst.Call() as made) if _is_of_containers(made):
                    yield "", made


def _is_of_containers(node: cst.CSTNode) -> bool:
    match node:
        case cst.Call(func=cst.Attribute(value=cst.Attribute(attr=cst.Name(value="containers")))):
            return True
    return False


def _called(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.func if isinstance(node, cst.Call) else node


def _read_of_doubles(nodes: Iterable[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Yield the expressions of which something is read that only a mock has, with all that they are read of."""
    for node in nodes:
        if isinstance(node, cst.Attribute) and node.attr.value in DOUBLE_ATTRIBUTES:
            inner: cst.CSTNode = node.value
            while isinstance(inner, cst.Attribute | cst.Call):
                yield inner
                inner = inner.value if isinstance(inner, cst.Attribute) else inner.func


def _asks(words: Words, guard: Guard) -> str | None:
    program = program_of(words[0])
    rest = _without_options(words[1:])
    used = next((command for command in guard.commands if tuple(rest[: len(command)]) == command), None)
    if used is None or _OTHER_TYPE.search(" ".join(words)):
        return None
    is_unknown = words[0].strip() in {UNKNOWN, ""} or MARK in words[0]
    if program not in COMMANDS and not (is_unknown and _STATE.search(" ".join(rest))):
        return None
    return f"`{' '.join([program if program in COMMANDS else 'docker', *used])}`"


def _without_options(words: Words) -> Words:
    """Return the words behind the options of the program itself."""
    index = 0
    while index < len(words) and words[index].startswith("-"):
        index += 2 if words[index] in _TAKES_VALUE else 1
    return words[index:]
