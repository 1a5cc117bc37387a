"""Finds what a call waits for, through the functions, methods and properties of its module and of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from ..engine.contract import JSON, SourceFile
from ..tables.blocking_apis import BUILTINS, FUNCTIONS, KINDS
from .instance_kinds import InstanceKinds
from .literals import integer
from .project_waits import INSTANCE, ProjectWaits, Wait
from .scopes import Function, Scope
from .syntax import argument, decorator_name, is_async, is_named, last_name, own_nodes, statements

_PROPERTIES = frozenset({"property", "cached_property"})
_MANAGERS = frozenset({"contextmanager"})
_MOVES = re.compile(
    r"thread|async|executor|pool|process|worker|background|task|celery|actor|job|defer|delay|schedule|coroutine|fork"
    r"|spawn|fixture|command|\A(?:op|flow|asset|overload|abstractmethod)\Z",
    re.IGNORECASE,
)
"""Decorators after which a call does not run the function here and now."""
_HANDS_OVER = frozenset(
    {"to_thread", "run_in_executor", "run_sync", "run_in_threadpool", "submit", "Thread", "delay"}
)
_AT_ONCE = frozenset({"WNOHANG", "MSG_DONTWAIT"})
"""Arguments with which a call does not wait."""
_LOOPS = (cst.While, cst.For)
_CHUNK = 1 << 16
"""Bytes from which one read of a file counts as large."""


@dataclass(frozen=True, slots=True)
class _Use:
    """A call or a property that a function evaluates itself, and is not awaited."""

    node: cst.Call | cst.Attribute
    in_loop: bool


class Waits:
    """What the code of one module waits for. `project` tells of the other modules; without it, a summary is made."""

    def __init__(self, file: SourceFile, names: InstanceKinds, project: ProjectWaits | None) -> None:
        self._file, self._names, self._project = file, names, project
        self._of_functions: dict[cst.FunctionDef, Wait | None] = {}
        self._in_place: dict[cst.FunctionDef, bool] = {}
        self._own: dict[str, Function] = dict(names.module.functions)
        for name, scope in names.classes.items():
            self._own |= {f"{name}.{method}": function for method, function in scope.functions.items()}
        self._names_of = {function.node: name for name, function in self._own.items()}

    def in_function(self, function: Function) -> Iterator[tuple[cst.Call | cst.Attribute, Wait]]:
        """Yield each expression of the function's own code that waits, with what it waits for."""
        for use in _uses(function.node):
            wait = self._of_use(use, function)
            if wait is not None:
                yield use.node, wait

    def summary(self) -> JSON:
        """Return what other modules need to know: functions and methods that wait or call others, and the values and
        makers of known kinds."""
        functions = {
            name: facts
            for name, function in self._own.items()
            if self._runs_in_place(function) and (facts := self._facts(function)) is not None
        }
        module = self._names.module
        values: dict[str, JSON] = {}
        for name in module.values:
            if (kind := self._portable(self._names.kind(cst.Name(name), module, None))) is not None:
                values[name] = kind
        gives: dict[str, JSON] = {}
        for name, function in module.functions.items():
            call = cst.Call(cst.Name(name))
            if not is_async(function.node) and (kind := self._portable(self._names.kind(call, module, None))):
                gives[name] = kind
        summary: dict[str, JSON] = {
            "functions": functions,
            "classes": {name: list(self._bases(scope)) for name, scope in self._names.classes.items()},
            "values": values,
            "gives": gives,
            "moves": sorted(
                name for name, function in module.functions.items() if _moves_what_it_decorates(function)
            ),
        }
        if not (functions or values or gives):
            del summary["classes"]
        if self._file.relative.endswith("__init__.py") or not (self._names.functions or self._names.classes):
            summary["aliases"] = dict(sorted(module.imports.items()))
        return summary if any(summary.values()) else None

    def _facts(self, function: Function) -> JSON:
        """Return the first wait of a function (line, call, what to use instead), the functions of the project that
        it uses (dotted name, line, whether it is only read), and whether it is a property; None if it does nothing
        of that."""
        calls: list[JSON] = []
        for use in _uses(function.node):
            wait = self._library(use, function)
            if wait is not None:
                return {"wait": [self._line(use.node), wait.call, wait.instead], "property": _is_property(function)}
            dotted = self._dotted(use, function)
            if dotted is not None:
                calls.append([dotted, self._line(use.node), isinstance(use.node, cst.Attribute)])
        return {"calls": calls, "property": _is_property(function)} if calls else None

    def _of_use(self, use: _Use, function: Function) -> Wait | None:
        return self._library(use, function) or self._local(use, function) or self._elsewhere(use, function)

    def _library(self, use: _Use, function: Function) -> Wait | None:
        """Return the wait of the call itself, if it is a library's."""
        call = use.node
        if not isinstance(call, cst.Call):
            return None
        qualified = self._names.qualified(call.func, function.scope)
        if any(last_name(item.value) in _AT_ONCE for item in call.args):
            return None
        if qualified is not None and qualified in FUNCTIONS and not _only_looks(qualified, call, function):
            return Wait(f"{qualified}()", f"use {FUNCTIONS[qualified]}, or a thread")
        name = last_name(call.func)
        if isinstance(call.func, cst.Name):
            is_builtin = name in BUILTINS and self._names.holder(name, function.scope) is None
            return Wait(f"{name}()", f"use {BUILTINS[name]}") if is_builtin else None
        if qualified is not None and qualified.partition(".")[0] in _ROOTS and qualified not in self._names.makers:
            return None
        if isinstance(call.func, cst.Attribute):
            kind = self._names.kind(call.func.value, function.scope, function.owner)
            known = KINDS.get(kind) if kind is not None else None
            if known is not None and known.blocks(name) and _is_large(known.name, call, use.in_loop):
                return Wait(f"{name}() of {kind}", "use await asyncio.to_thread(…)")
        return None

    def _local(self, use: _Use, function: Function) -> Wait | None:
        """Return what a function or property of this module waits for."""
        target = self._target(use, function)
        if target is None or not self._runs_in_place(target):
            return None
        if target.node not in self._of_functions:
            self._of_functions[target.node] = None  # a function that calls itself adds nothing
            for inner in _uses(target.node):
                wait = self._of_use(inner, target)
                if wait is not None:
                    path, line = self._file.relative, self._line(inner.node)
                    self._of_functions[target.node] = wait.through(_spelled(target), path, line, target.name)
                    break
        return self._of_functions[target.node]

    def _elsewhere(self, use: _Use, function: Function) -> Wait | None:
        """Return what a function or property of another module waits for."""
        if self._project is None or self._target(use, function) is not None:
            return None
        dotted = self._dotted(use, function)
        return self._project.wait_of(dotted, isinstance(use.node, cst.Attribute)) if dotted is not None else None

    def _target(self, use: _Use, function: Function) -> Function | None:
        """Return the module's own function that a call runs, or whose property an attribute reads."""
        if isinstance(use.node, cst.Call):
            target = self._names.function_of(use.node, function.scope, function.owner)
            return None if target is not None and _is_property(target) else target
        read = cst.Call(use.node)
        target = self._names.function_of(read, function.scope, function.owner)
        return target if target is not None and _is_property(target) else None

    def _dotted(self, use: _Use, function: Function) -> str | None:
        """Return the dotted name of the project's function or property that is used, as far as this module tells."""
        target = self._target(use, function)
        if target is not None:
            name = self._names_of.get(target.node)
            is_followed = name is not None and self._runs_in_place(target)
            return f"{self._file.module}.{name}" if is_followed else None
        expression = use.node.func if isinstance(use.node, cst.Call) else use.node
        qualified = self._names.qualified(expression, function.scope)
        if qualified is None and isinstance(expression, cst.Attribute):
            kind = self._names.kind(expression.value, function.scope, function.owner)
            if kind is not None and kind.startswith(INSTANCE):
                return f"{kind.removeprefix(INSTANCE)}.{expression.attr.value}"
        if qualified is None or qualified.partition(".")[0] in _ROOTS:
            return None
        return qualified if isinstance(use.node, cst.Call) or qualified.count(".") > 1 else None

    def _runs_in_place(self, function: Function) -> bool:
        """Return whether a call runs the body at once: it is no coroutine and no generator, and no decorator may have
        moved it into a thread."""
        if function.node not in self._in_place:
            self._in_place[function.node] = self._is_run_in_place(function)
        return self._in_place[function.node]

    def _is_run_in_place(self, function: Function) -> bool:
        if is_async(function.node):
            return False
        decorators = [(decorator_name(item), item.decorator) for item in function.node.decorators]
        for name, expression in decorators:
            if _MOVES.search(name) or self._is_mover(expression, function):
                return False
        if any(name in _MANAGERS for name, _ in decorators):
            return True
        return not any(type(node) is cst.Yield for node in own_nodes(statements(function.node.body)))

    def _is_mover(self, decorator: cst.BaseExpression, function: Function) -> bool:
        """Return whether a decorator of the project may run what it decorates elsewhere."""
        expression = decorator.func if isinstance(decorator, cst.Call) else decorator
        own = self._names.module.functions.get(last_name(expression)) if isinstance(expression, cst.Name) else None
        if own is not None:
            return _moves_what_it_decorates(own)
        qualified = self._names.qualified(expression, function.scope.parent or self._names.module)
        return qualified is not None and self._project is not None and self._project.moves(qualified)

    def _bases(self, scope: Scope) -> Iterator[str]:
        for node, known in self._names.class_at.items():
            if known is scope:
                for base in node.bases:
                    qualified = self._names.qualified(base.value, self._names.module)
                    yield qualified or f"{self._file.module}.{last_name(base.value)}"

    def _portable(self, kind: str | None) -> str | None:
        """Return a kind as another module knows it."""
        if kind is None or kind in KINDS:
            return kind
        return f"{INSTANCE}{self._file.module}.{kind.removeprefix('class ')}" if kind.startswith("class ") else kind

    def _line(self, node: cst.CSTNode) -> int:
        return self._file.span(node).line


_ROOTS = frozenset(name.partition(".")[0] for name in FUNCTIONS)


def _spelled(function: Function) -> str:
    return function.name if _is_property(function) else f"{function.name}()"


def _is_property(function: Function) -> bool:
    return any(decorator_name(decorator) in _PROPERTIES for decorator in function.node.decorators)


def _uses(function: cst.FunctionDef) -> Iterator[_Use]:
    """Yield the calls and the reads of attributes that the function itself makes, without what is awaited."""
    nodes = list(own_nodes(statements(function.body)))
    awaited = {id(node.expression) for node in nodes if type(node) is cst.Await}
    called = {id(node.func) for node in nodes if type(node) is cst.Call}
    looped = {
        id(inner)
        for node in nodes
        if type(node) in _LOOPS
        for part in ([node.test, node.body] if type(node) is cst.While else [node.iter, node.body])  # type: ignore[attr-defined]
        for inner in own_nodes([part])
    }
    for node in nodes:
        if (type(node) is cst.Call and id(node) not in awaited) or (
            type(node) is cst.Attribute and id(node) not in called
        ):
            yield _Use(node, id(node) in looped)


def _only_looks(qualified: str, call: cst.Call, function: Function) -> bool:
    """Return whether a call of `select` has the timeout 0, written out or by a name of the function."""
    timeout = argument(call, 3) if qualified == "select.select" else None
    if isinstance(timeout, cst.Name):
        name = timeout.value
        values = [
            node.value
            for node in own_nodes(statements(function.node.body))
            if isinstance(node, cst.Assign) and any(is_named(item.target, name) for item in node.targets)
        ]
        timeout = values[0] if len(values) == 1 else None
    return isinstance(timeout, cst.Integer | cst.Float) and not timeout.value.strip("0._")


def _is_large(kind: str, call: cst.Call, in_loop: bool) -> bool:
    """Return whether reading a file takes long: piece by piece in a loop, or in a large piece."""
    if kind != "an open file":
        return True
    size = call.args[0].value if call.args else None
    if isinstance(size, cst.Integer):
        return in_loop or integer(size) >= _CHUNK
    return in_loop


def _moves_what_it_decorates(function: Function) -> bool:
    """Return whether a decorator makes a coroutine of a function, or hands it to a thread."""
    for node in own_nodes([function.node.body], ()):
        if isinstance(node, cst.FunctionDef) and is_async(node):
            return True
        if isinstance(node, cst.Call) and last_name(node.func) in _HANDS_OVER:
            return True
    return False
