"""What the parameters of the functions of a module are, by what the module's calls pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import libcst as cst

from ...tables.doubles import DOUBLE_FIXTURES
from ..syntax import argument, last_name, parameter_names, positional
from .bindings import Function, Scope
from .calls import parameter_list
from .model import DOUBLE, Bound, Class, Many, Routine, Value, decode

if TYPE_CHECKING:
    from .evaluator import Evaluator

_MAPS = frozenset({"map", "imap", "imap_unordered", "starmap", "filter", "filterfalse", "takewhile", "dropwhile"})
_KEYED = frozenset({"sorted", "max", "min", "sort", "groupby", "nlargest", "nsmallest"})
_PASSES = frozenset(
    {"to_thread", "run_sync", "run_in_threadpool", "submit", "partial", "call_soon", "call_soon_threadsafe",
     "start_soon", "apply_async", "apply", "run_in_executor", "add_task", "sync_to_async", "call_later"}
)  # fmt: skip
_DEPENDS = frozenset({"Depends", "Security", "Provide"})


class Parameters:
    """The parameters of the functions of one module."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._passed: dict[tuple[Scope, str], list[tuple[cst.BaseExpression, Scope, bool]]] = {}

    def value(self, scope: Scope, name: str) -> Value | None:
        """Return what a parameter is, by what is passed for it, its default, or pytest's fixture of its name."""
        evaluator = self._evaluator
        for node, origin, is_item in self._passed.get((scope, name), ()):
            value = evaluator.value(node, origin)
            if (value := evaluator.steps.step(value, "item") if is_item else value) is not None:
                return value
        default = scope.parameters[name].default
        if default is not None and scope.parent is not None:
            value = self.dependency([default], scope.parent) or evaluator.value(default, scope.parent)
            if value is not None:
                return value
        if (value := self._passed_elsewhere(name, scope)) is not None:
            return value
        if self._is_double(name, scope):
            return DOUBLE
        return self._fixture(name, scope)

    def _passed_elsewhere(self, name: str, scope: Scope) -> Value | None:
        """Return what other modules pass for a parameter, by its name or its position."""
        evaluator = self._evaluator
        passed = evaluator.facts.passed.get(f"{evaluator.module}.{scope.name.removesuffix('.__init__')}")
        if not passed:
            return None
        names = parameter_list(scope)
        keys = (name, str(names.index(name))) if name in names else (name,)
        return next((evaluator.resolved(decode(passed[key])) for key in keys if key in passed), None)

    def dependency(self, metadata: Iterable[cst.BaseExpression], scope: Scope) -> Value | None:
        """Return what `Depends(f)` gives to a parameter."""
        for node in metadata:
            if isinstance(node, cst.Call) and last_name(node.func) in _DEPENDS:
                maker = argument(node, 0, "dependency")
                if maker is not None:
                    result = self._evaluator.calls.of_value(self._evaluator.value(maker, scope))
                    return result.item if isinstance(result, Many) and not result.is_manager else result
        return None

    def _is_double(self, name: str, scope: Scope) -> bool:
        """Return whether a parameter is one of pytest's fixtures for doubles, or is handed in by `patch`."""
        if name in DOUBLE_FIXTURES:
            return True
        function = scope.node
        return isinstance(function, cst.FunctionDef) and any(
            self._evaluator.value(decorator.decorator, scope.parent or scope) == DOUBLE
            for decorator in function.decorators
        )

    def _fixture(self, name: str, scope: Scope) -> Value | None:
        evaluator = self._evaluator
        function = evaluator.bindings.module.functions.get(name)
        if function is not None and function.scope is not scope and evaluator.calls.is_fixture(function):
            result = evaluator.calls.of_value(Routine(function.scope, function))
            return result.item if isinstance(result, Many) and not result.is_manager else result
        is_test = scope.name.rpartition(".")[2].startswith("test_")
        if name in evaluator.facts.fixtures and (is_test or evaluator.module.startswith(("test", "conftest"))):
            return evaluator.resolved(decode(evaluator.facts.fixtures[name]))
        return None

    def bind_all(self) -> None:
        """Note what each call of the module passes to the module's own functions."""
        for call, scope in self._evaluator.bindings.calls:
            if call.args:
                self._bind(call, scope)

    def _bind(self, call: cst.Call, scope: Scope) -> None:
        evaluator = self._evaluator
        name, values = last_name(call.func), positional(call)
        if name in _MAPS and len(values) > 1:
            self._bind_items(evaluator.value(values[0], scope), values[1:], scope)
        elif name in _KEYED and (key := argument(call, None, "key")) is not None:
            collection = values[0] if values else call.func.value if isinstance(call.func, cst.Attribute) else None
            if collection is not None:
                self._bind_items(evaluator.value(key, scope), [collection], scope)
        elif name in _PASSES and values:
            rest = call.args[1:] if name in {"run_in_executor", "call_later"} else call.args
            if rest:
                self._pass(evaluator.value(rest[0].value, scope), cst.Call(rest[0].value, rest[1:]), scope)
        elif name in {"Thread", "Process"} and (target := argument(call, None, "target")) is not None:
            passed = argument(call, None, "args")
            items = passed.elements if isinstance(passed, cst.Tuple | cst.List) else ()
            self._pass(evaluator.value(target, scope), cst.Call(target, [cst.Arg(i.value) for i in items]), scope)
        else:
            self._pass(evaluator.value(call.func, scope), call, scope)

    def _bind_items(self, target: Value | None, collections: list[cst.BaseExpression], scope: Scope) -> None:
        if isinstance(target, Routine):
            for name, node in zip(_names(target), collections, strict=False):
                self._passed.setdefault((target.scope, name), []).append((node, scope, True))

    def _pass(self, target: Value | None, call: cst.Call, scope: Scope) -> None:
        if isinstance(target, Bound):
            self._pass(target.target, call, scope)
        if isinstance(target, Class):
            name, target = target.name, self._evaluator.member(target.name, "__init__")
            if target is None:
                self._fields(name, call, scope)
        if not isinstance(target, Routine):
            return
        passed = [*zip(_names(target), positional(call), strict=False)]
        passed += [(item.keyword.value, item.value) for item in call.args if item.keyword is not None]
        for name, node in passed:
            self._passed.setdefault((target.scope, name), []).append((node, scope, False))

    def _fields(self, name: str, call: cst.Call, scope: Scope) -> None:
        """Note what a call passes for the fields of a dataclass."""
        holder = self._evaluator.classes.get(name)
        if holder is None:
            return
        passed = [*zip(holder.annotations, positional(call), strict=False)]
        passed += [(item.keyword.value, item.value) for item in call.args if item.keyword is not None]
        for field, node in passed:
            self._passed.setdefault((holder, field), []).append((node, scope, False))

    def passed(self, scope: Scope, name: str) -> list[tuple[cst.BaseExpression, Scope]]:
        """Return the expressions that are passed for a parameter, each with its scope."""
        return [(node, origin) for node, origin, is_item in self._passed.get((scope, name), ()) if not is_item]


def _names(routine: Routine) -> list[str]:
    """Return the parameters that a call fills by position."""
    node = routine.scope.node
    names = parameter_names(node) if isinstance(node, cst.FunctionDef | cst.Lambda) else []
    function: Function | None = routine.function
    is_method = function is not None and function.owner is not None and names[:1] in (["self"], ["cls"])
    return names[1:] if is_method else names
