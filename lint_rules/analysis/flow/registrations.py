"""Finds routes and exception handlers: by decorators, and by the calls and tables that register them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import libcst as cst

from ..syntax import (
    Function,
    argument,
    elements,
    is_constant,
    is_named,
    last_name,
    parameters,
    positional,
    statements,
    string_value,
)
from .module import ERROR_ENDINGS, Module, Registrations

_ENDPOINTS = ("endpoint", "view_func", "handler", "route")
_KINDS = ("exc_class_or_status_code", "code_or_exception", "exception")
_SERVER_ERROR = "500"
_Pair = tuple[cst.BaseExpression, cst.BaseExpression]


def registrations_of(module: Module) -> Registrations:
    """Read the registrations among the module's calls and assignments."""
    registered = Registrations()
    for owner, _, nodes in module.parts():
        scope = _Scope(module, owner, nodes)
        for node in nodes:
            if isinstance(node, cst.Call):
                _read_call(node, scope, registered)
            elif isinstance(node, cst.Assign):
                for kind, handler in _assigned_handlers(node, scope):
                    _add_handler(registered, scope, kind, handler)
    return registered


def is_route(function: Function, module: Module) -> bool:
    """Return whether a decorator of the function makes it a route whose result is sent."""
    return any(_makes_route(item.decorator, module) for item in function.decorators)


def handled_by_decorator(function: Function, module: Module) -> cst.BaseExpression | None:
    """Return the exception class that the function handles by its decorator."""
    return next(filter(_is_kind, _kinds_of_decorators(function, module)), None)


def handles_status(function: Function, module: Module) -> bool:
    """Return whether the function handles, by its decorator, only what is raised for a status."""
    kinds = list(_kinds_of_decorators(function, module))
    return bool(kinds) and not any(map(_is_kind, kinds))


def _kinds_of_decorators(function: Function, module: Module) -> Iterator[cst.BaseExpression]:
    for item in function.decorators:
        decorator = item.decorator
        if isinstance(decorator, cst.Call) and _is_named_in(decorator.func, module, module.table.makes_handler):
            yield from positional(decorator)[:1]


def error_parameter(names: Sequence[str], required: int) -> str | None:
    """Return which parameter of a handler is the exception. `names` are its parameters, the first `required` have no
    default."""
    if not names:
        return None
    if len(names) == 1 or tuple(names[:2]) == ("exc", "context"):
        return names[0]
    return names[required - 1] if required > 2 else names[1]


def _makes_route(decorator: cst.BaseExpression, module: Module, depth: int = 0) -> bool:
    table = module.table
    called = decorator.func if isinstance(decorator, cst.Call) else decorator
    qualified = module.qualified(called)
    if qualified is not None and table.makes_route(qualified):
        return True
    if not isinstance(decorator, cst.Call):
        return False
    if isinstance(called, cst.Attribute) and table.makes_route(f".{called.attr.value}"):
        path = argument(decorator, 0, "path", "rule")
        return path is None or not is_constant(path) or (string_value(path) or "/")[:1] == "/"
    factory = module.functions.get(called.value) if isinstance(called, cst.Name) else None
    if factory is None or depth:
        return False
    results = [node.value for node in statements(factory.body) if isinstance(node, cst.Return)]
    return any(result is not None and _makes_route(result, module, 1) for result in results)


def _is_named_in(expression: cst.BaseExpression, module: Module, is_in: Callable[[str], bool]) -> bool:
    qualified = module.qualified(expression)
    if qualified is not None and is_in(qualified):
        return True
    return isinstance(expression, cst.Attribute) and is_in(f".{expression.attr.value}")


def _is_kind(expression: cst.BaseExpression) -> bool:
    """Return whether a handler of it is given errors that nobody wrote: of a status, only the server's own."""
    return not isinstance(expression, cst.Integer) or expression.value == _SERVER_ERROR


class _Scope:
    """The statement in which a registration stands: its class, and what its loops go over."""

    def __init__(self, module: Module, owner: str | None, nodes: Sequence[cst.CSTNode]) -> None:
        self.module, self.owner = module, owner
        self._loops = [
            (elements(node.target) or [node.target], node.iter)
            for node in nodes
            if isinstance(node, cst.For | cst.CompFor)
        ]

    def expanded(self, *values: cst.BaseExpression) -> Iterator[list[cst.BaseExpression]]:
        """Yield the values, once for each turn of the loop whose names they are."""
        names = {value.value for value in values if isinstance(value, cst.Name)}
        for targets, iterable in self._loops:
            bound = {target.value: index for index, target in enumerate(targets) if isinstance(target, cst.Name)}
            if names.isdisjoint(bound):
                continue
            for item in self._turns(iterable):
                parts = elements(item) if len(targets) > 1 else [item]
                if parts is not None and len(parts) == len(targets):
                    yield [
                        parts[bound[value.value]] if isinstance(value, cst.Name) and value.value in bound else value
                        for value in values
                    ]
            return
        yield list(values)

    def pairs(self, table: cst.BaseExpression | None, depth: int = 0) -> Iterator[_Pair]:
        """Yield keys and values of a dict that is written out, by its name, or merged of several."""
        match table:
            case cst.Dict(elements=items):
                for item in items:
                    if isinstance(item, cst.DictElement):
                        yield item.key, item.value
                    elif depth < 3:
                        yield from self.pairs(item.value, depth + 1)
            case cst.Name() if depth < 3:
                yield from self.pairs(self._assigned(table.value), depth + 1)
            case cst.BinaryOperation(left=left, right=right):
                yield from self.pairs(left, depth + 1)
                yield from self.pairs(right, depth + 1)
            case cst.Call(args=[cst.Arg(value=first), *_]) if is_named(table.func, "dict"):
                yield from self.pairs(first, depth + 1)

    def function_of(self, value: cst.BaseExpression) -> str | cst.Lambda | None:
        """Return the qualified name of the function that a value is, also of one in a partial or a wrapper."""
        match value:
            case cst.Lambda():
                return value
            case cst.Name(value=name):
                qualified = self.module.qualified(value)
                return f"{self.module.name}.{name}" if qualified == name else qualified
            case cst.Attribute(value=cst.Name(value="self" | "cls"), attr=attribute):
                return f"{self.module.name}.{self.owner}.{attribute.value}"
            case cst.Attribute():
                return self.module.qualified(value)
            case cst.Call():
                values = positional(value)
                return self.function_of(values[0]) if values else None
        return None

    def _turns(self, iterable: cst.BaseExpression) -> list[cst.BaseExpression]:
        if isinstance(iterable, cst.Name):
            iterable = self._assigned(iterable.value) or iterable
        match iterable:
            case cst.Call(func=cst.Attribute(value=table, attr=cst.Name(value="items"))):
                return [cst.Tuple([cst.Element(key), cst.Element(value)]) for key, value in self.pairs(table)]
        return elements(iterable) or []

    def _assigned(self, name: str) -> cst.BaseExpression | None:
        for node in self.module.assignments:
            if any(is_named(target.target, name) for target in node.targets):
                return node.value
        return None


def _read_call(call: cst.Call, scope: _Scope, registered: Registrations) -> None:
    module = scope.module
    pairs = list(scope.pairs(argument(call, None, "exception_handlers")))
    match call.func:
        case cst.Attribute(value=holder, attr=cst.Name(value="update")) if last_name(holder) == "exception_handlers":
            pairs += scope.pairs(argument(call, 0))
    for kind, handler in pairs:
        _add_handler(registered, scope, kind, handler)
    decorator = call.func
    if isinstance(decorator, cst.Call):  # the decorator is called
        values = positional(call)
        if values and _is_named_in(decorator.func, module, module.table.makes_handler):
            for error in positional(decorator)[:1]:
                _add_handler(registered, scope, error, values[0])
        elif values and _makes_route(decorator, module):
            _add_route(registered, scope, values[0])
    elif _is_named_in(call.func, module, module.table.makes_handler):
        error_class, function = argument(call, 0, *_KINDS), argument(call, 1, "handler", "f")
        if error_class is not None and function is not None:
            for expanded in scope.expanded(error_class, function):
                _add_handler(registered, scope, *expanded)
    elif _is_named_in(call.func, module, module.table.makes_route):
        endpoint = argument(call, None, *_ENDPOINTS)
        for value in [endpoint] if endpoint is not None else positional(call)[1:]:
            for expanded in scope.expanded(value):
                _add_route(registered, scope, *expanded)


def _assigned_handlers(
    assignment: cst.Assign, scope: _Scope
) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    for item in assignment.targets:
        match item.target:
            case cst.Subscript(value=holder, slice=[cst.SubscriptElement(slice=cst.Index(value=kind))]):
                if last_name(holder) == "exception_handlers":
                    yield kind, assignment.value
            case cst.Name(value=name) if "exception_handlers" in name.lower() or name.lower() == "handlers":
                yield from scope.pairs(assignment.value)
            case cst.Name() if isinstance(assignment.value, cst.Dict):
                pairs = list(scope.pairs(assignment.value))
                if pairs and all(_may_be_handled(*pair, scope.module) for pair in pairs):
                    yield from pairs
            case cst.Attribute(attr=cst.Name(value="exception_handlers")):
                yield from scope.pairs(assignment.value)


def _may_be_handled(kind: cst.BaseExpression, handler: cst.BaseExpression, module: Module) -> bool:
    """Return whether an entry of a table is an exception class with a function of a request and an exception."""
    function = module.functions.get(handler.value) if isinstance(handler, cst.Name) else None
    is_error = last_name(kind) in {"Exception", "BaseException"} or last_name(kind).endswith(ERROR_ENDINGS)
    return is_error and function is not None and len(parameters(function)) == 2


def _add_handler(
    registered: Registrations, scope: _Scope, kind: cst.BaseExpression, handler: cst.BaseExpression
) -> None:
    function = scope.function_of(handler)
    if function is None or not _is_kind(kind):
        return
    error = scope.module.qualified(kind) or ""
    error = "" if error in {"Exception", "BaseException"} else error
    if isinstance(function, cst.Lambda):
        registered.lambdas[id(function)] = error
    else:
        registered.handlers[function] = error


def _add_route(registered: Registrations, scope: _Scope, endpoint: cst.BaseExpression) -> None:
    function = scope.function_of(endpoint)
    if isinstance(function, cst.Lambda):
        registered.lambdas[id(function)] = None
    elif function is not None:
        registered.routes.add(function)
