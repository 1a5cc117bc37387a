"""What a call gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from ..syntax import argument, decorator_name, getattr_as_attribute, last_name, parameter_names, positional
from .bindings import Function, Scope, returned
from .holes import MARK, filled
from .model import (
    DOUBLE,
    Bound,
    Class,
    Command,
    Double,
    Factory,
    Getter,
    Instance,
    Many,
    Method,
    Named,
    Own,
    Pair,
    Routine,
    Table,
    Value,
)
from .texts import text_of, words_of

if TYPE_CHECKING:
    from .evaluator import Evaluator

_MANAGERS = frozenset({"contextmanager", "asynccontextmanager"})
_PROPERTIES = frozenset({"property", "cached_property", "hybrid_property"})
_ITEMS_IN = frozenset(
    {
        "list",
        "tuple",
        "set",
        "frozenset",
        "sorted",
        "reversed",
        "iter",
        "deque",
        "filter",
        "shuffle",
        "islice",
        "tqdm",
        "track",
        "cycle",
        "as_completed",
        "sample",
        "unique",
        "as_list",
    }
)
_FIRST_OF = frozenset({"next", "max", "min", "anext", "choice", "one", "first"})
_SAME = frozenset({"copy", "deepcopy", "wait_for", "shield", "ensure_future", "create_task", "gather_one", "aclosing",
                   "closing", "nullcontext", "enter_context", "enter_async_context", "push", "weakref", "proxy",
                   "result"})  # fmt: skip
_THREADS = frozenset({"to_thread", "run_sync", "run_in_threadpool", "sync_to_async", "submit", "to_process"})
_IMPORTS = frozenset({"importlib.import_module", "pytest.importorskip", "importlib.reload"})


class Calls:
    """What the calls of one module give."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def result(self, call: cst.Call, scope: Scope) -> Value | None:
        """Return what a call gives."""
        if (attribute := getattr_as_attribute(call)) is not None or (attribute := self._read(call, scope)):
            return self._evaluator.value(attribute.value, scope) and self._evaluator.attribute(
                self._evaluator.value(attribute.value, scope), attribute.attr.value, attribute.value
            )
        target = self._evaluator.value(call.func, scope)
        if isinstance(target, Double):
            return DOUBLE
        if isinstance(target, Bound):
            return self.of_value(target.target, target.call, target.scope)
        if (known := self._known(call, target, scope)) is not None:
            return known
        return self.of_value(target, call, scope)

    def _read(self, call: cst.Call, scope: Scope) -> cst.Attribute | None:
        """Return `getattr(x, NAME)` and `x.__getattribute__("name")` as the attribute that they read."""
        values = positional(call)
        name: str | None = None
        receiver: cst.BaseExpression | None = None
        if isinstance(call.func, cst.Name) and call.func.value == "getattr" and len(values) > 1:
            receiver, name = values[0], text_of(values[1], self._evaluator, scope)
        elif last_name(call.func) == "__getattribute__" and isinstance(call.func, cst.Attribute) and values:
            receiver, name = call.func.value, text_of(values[0], self._evaluator, scope)
        if receiver is None or name is None or not name.isidentifier():
            return None
        return cst.Attribute(receiver, cst.Name(name))

    def read(self, call: cst.Call, scope: Scope) -> cst.Attribute | None:
        """Return the attribute that a call of `getattr` and its like reads; None for any other call."""
        return getattr_as_attribute(call) or self._read(call, scope)

    def _known(self, call: cst.Call, target: Value | None, scope: Scope) -> Value | None:
        """Return what a function of the standard library, or one of a well-known name, gives."""
        values = positional(call)
        name = last_name(call.func)
        dotted = target.name if isinstance(target, Named) and not target.steps else ""
        if isinstance(call.func, cst.Name) and target is None:
            dotted = name
        evaluator = self._evaluator
        if isinstance(target, Getter):
            return self._got(target, values, scope)
        if dotted in _IMPORTS or dotted == "__import__":
            texts = evaluator.texts.texts(values[0], scope) if values else []
            if texts and MARK in texts[0]:
                return Named(texts[0])
            return evaluator.imported(texts[0]) if texts else None
        if dotted in {"typing.cast", "typing_extensions.cast"} and values:
            return evaluator.annotations.value(values[0], scope)
        if dotted in {"functools.partial", "functools.partialmethod"} and values:
            inner = evaluator.value(values[0], scope)
            return Bound(inner, cst.Call(values[0], call.args[1:]), scope) if inner is not None else None
        if dotted in {"operator.attrgetter", "operator.methodcaller"} and values:
            text = text_of(values[0], evaluator, scope)
            return Getter(tuple(text.split(".")), dotted.endswith("caller")) if text else None
        if dotted == "sh.Command" and values:
            return Command(words_of(values[0], evaluator, scope))
        if name in _THREADS or name == "run_in_executor":
            rest = call.args[1:] if name == "run_in_executor" else call.args
            if rest and target_is_open(target):
                return self.result(cst.Call(rest[0].value, rest[1:]), scope)
        return self._of_collections(call, name, values, target, scope)

    def _of_collections(
        self, call: cst.Call, name: str, values: list[cst.BaseExpression], target: Value | None, scope: Scope
    ) -> Value | None:
        evaluator = self._evaluator
        if isinstance(call.func, cst.Attribute):
            receiver = evaluator.value(call.func.value, scope)
            if isinstance(receiver, Table | Many | Pair):
                return self._of_method(receiver, name)
            if name == "result" and not call.args:
                return receiver
        if not target_is_open(target) or not call.args:
            return None
        return self._of_items(call, name, values, scope) or self._of_argument(call, name, scope)

    def _of_items(self, call: cst.Call, name: str, values: list[cst.BaseExpression], scope: Scope) -> Value | None:
        """Return the collection, or the item, that a function makes of collections."""
        evaluator, first = self._evaluator, call.args[0].value
        if name == "chain" or (name == "from_iterable" and values):
            parts = (evaluator.steps.step(evaluator.value(item.value, scope), "item") for item in call.args)
            return Many(next((part for part in parts if part is not None), None))
        if name == "gather":
            return self._gathered(call, scope)
        if name == "groupby":
            item = evaluator.steps.step(evaluator.value(first, scope), "item")
            return Many(Pair((None, Many(item))))
        if name == "enumerate":
            return Many(Pair((None, evaluator.steps.step(evaluator.value(first, scope), "item"))))
        if name in {"zip", "zip_longest", "product"}:
            return Many(Pair(tuple(evaluator.steps.step(evaluator.value(item, scope), "item") for item in values)))
        if name in {"map", "imap", "imap_unordered"} and len(values) > 1:
            return self._mapped(values, scope)
        if name == "dict":
            return evaluator.value(first, scope) if isinstance(evaluator.value(first, scope), Table) else Table(None)
        if name in _ITEMS_IN:
            item = evaluator.steps.step(
                evaluator.value(values[-1] if name == "filter" and values else first, scope), "item"
            )
            return Many(item) if item is not None else None
        if name in _FIRST_OF:
            return evaluator.steps.step(evaluator.value(first, scope), "item")
        return None

    def _of_argument(self, call: cst.Call, name: str, scope: Scope) -> Value | None:
        """Return what a function makes of its first argument."""
        evaluator, first = self._evaluator, call.args[0].value
        if name in _SAME:
            return self._same(name, first, scope)
        if name == "vars" and isinstance(inner := evaluator.value(first, scope), Named):
            return Named(inner.name, (".__dict__",))
        if name in {"field", "ib", "attrib", "Factory"}:
            maker = argument(call, None, "default_factory", "factory")
            return self.of_value(evaluator.value(maker, scope)) if maker is not None else None
        return None

    def _same(self, name: str, first: cst.BaseExpression, scope: Scope) -> Value | None:
        value = self._evaluator.value(first, scope)
        return self._evaluator.steps.step(value, "enter") or value if name.startswith("enter_") else value

    def _gathered(self, call: cst.Call, scope: Scope) -> Value:
        values = [
            self._evaluator.steps.step(self._evaluator.value(item.value, scope), "item")
            if item.star
            else self._evaluator.value(item.value, scope)
            for item in call.args
        ]
        if any(item.star for item in call.args):
            return Many(next((value for value in values if value is not None), None))
        return Pair(tuple(values))

    def _mapped(self, values: list[cst.BaseExpression], scope: Scope) -> Value:
        evaluator = self._evaluator
        function = evaluator.value(values[0], scope)
        if isinstance(function, Getter):
            item = evaluator.steps.step(evaluator.value(values[1], scope), "item")
            for name in function.path:
                item = evaluator.attribute(item, name, None)
            return Many(item)
        return Many(self.of_value(function))

    def _of_method(self, receiver: Table | Many | Pair, name: str) -> Value | None:
        item = receiver.value if isinstance(receiver, Table) else self._evaluator.steps.step(receiver, "item")
        if isinstance(receiver, Table) and name == "items":
            return Many(Pair((None, item)))
        if isinstance(receiver, Table) and name == "values":
            return Many(item)
        if name in {"get", "pop", "setdefault", "popleft", "get_nowait", "__getitem__"}:
            return item
        return receiver if name == "copy" else None

    def _got(self, getter: Getter, values: list[cst.BaseExpression], scope: Scope) -> Value | None:
        value = self._evaluator.value(values[0], scope) if values else None
        for name in getter.path:
            value = self._evaluator.attribute(value, name, None)
        return self.of_value(value) if getter.calls else value

    def of_value(self, value: Value | None, call: cst.Call | None = None, scope: Scope | None = None) -> Value | None:
        """Return what calling a value gives."""
        evaluator = self._evaluator
        match value:
            case Named(name, steps):
                kind = evaluator.kind_of(name) if not steps else None
                return Instance(kind) if kind is not None else Named(name, (*steps, "()"))
            case Method(kind, name):
                result = evaluator.about(kind).result_of(name)
                return Instance(result) if result is not None else None
            case Class(name):
                return Own(name)
            case Own(name):
                return self.of_value(evaluator.member(name, "__call__"))
            case Routine(inner, function):
                return self._of_routine(inner, function, call, scope)
            case Factory(result):
                return result
            case Bound(target):
                return self.of_value(target)
            case Double():
                return DOUBLE
            case Command() if call is not None and scope is not None:
                return self.command(value, positional(call), scope)
        return None

    def command(self, command: Command, values: list[cst.BaseExpression], scope: Scope) -> Command:
        """Return a command with further words."""
        words = [word for value in values for word in words_of(value, self._evaluator, scope)]
        return Command((*command.words, *words))

    def _of_routine(
        self, inner: Scope, function: Function | None, call: cst.Call | None, scope: Scope | None
    ) -> Value | None:
        evaluator = self._evaluator
        if function is None:
            body = inner.node.body if isinstance(inner.node, cst.Lambda) else None
            return evaluator.value(body, inner) if body is not None else None
        names = {decorator_name(decorator) for decorator in function.node.decorators}
        is_manager = not names.isdisjoint(_MANAGERS)
        if function.node.returns is not None:
            value = evaluator.annotations.value(function.node.returns.annotation, inner.parent or inner)
            if value is not None:
                return Many(value.item, is_manager) if is_manager and isinstance(value, Many) else value
        results = [(evaluator.value(node, inner), is_yielded) for node, is_yielded in returned(function)]
        for value, is_yielded in sorted(results, key=lambda result: isinstance(result[0], Named)):
            if value is None:
                continue
            if isinstance(value, Routine) and call is not None and scope is not None:
                return Routine(value.scope, value.function, self.known_of(inner, call, scope))
            if isinstance(value, Named) and MARK in value.name and call is not None and scope is not None:
                return evaluator.imported(filled(value.name, dict(self.known_of(inner, call, scope))))
            return Many(value, is_manager) if is_yielded else value
        return None

    def known_of(
        self, inner: Scope, call: cst.Call, scope: Scope, depth: int = 0
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the words that a call passes for the parameters of the function with the scope `inner`."""
        return known_words(parameter_list(inner), call, self._evaluator, scope, depth)

    def is_property(self, function: Function) -> bool:
        """Return whether reading the method's name runs it."""
        return any(decorator_name(decorator) in _PROPERTIES for decorator in function.node.decorators)

    def is_fixture(self, function: Function) -> bool:
        """Return whether pytest runs the function for a parameter of its name."""
        return any(decorator_name(decorator) == "fixture" for decorator in function.node.decorators)


def parameter_list(scope: Scope) -> list[str]:
    """Return the parameters of a function as a call fills them, without `self`; the last may be `*args`."""
    node = scope.node
    if not isinstance(node, cst.FunctionDef | cst.Lambda):
        return []
    names = parameter_names(node)
    if scope.parent is not None and scope.parent.is_class and names[:1] in (["self"], ["cls"]):
        names = names[1:]
    star = node.params.star_arg
    return [*names, f"*{star.name.value}"] if isinstance(star, cst.Param) else names


def known_words(
    names: Sequence[str], call: cst.Call, evaluator: Evaluator, scope: Scope, depth: int = 0
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the words that a call passes for these parameters."""
    known: dict[str, tuple[str, ...]] = {}
    plain = [name for name in names if not name.startswith("*")]
    star = next((name[1:] for name in names if name.startswith("*")), None)
    position = 0
    for item in call.args:
        words = words_of(item.value, evaluator, scope, depth)
        if item.keyword is not None:
            known[item.keyword.value] = words
        elif position < len(plain) and not item.star:
            known[plain[position]] = words
            position += 1
        elif star is not None:
            known[star] = (*known.get(star, ()), *words)
    return tuple(known.items())


def target_is_open(target: Value | None) -> bool:
    """Return whether a function of a well-known name may be meant: it is none of the project's own."""
    return target is None or isinstance(target, Named | Method)
