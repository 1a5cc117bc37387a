"""Finds the functions of a module that answer requests, as far as the module itself says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from ..syntax import Function, code, every_node, last_name, parameter_names, parameters, statements
from .module import Module
from .registrations import error_parameter, handled_by_decorator, is_route

_REQUESTS = re.compile(r"\b(?:Request|HttpRequest|WebSocket|HTTPConnection)\b")
_FRAMEWORKS = frozenset(
    {"aiohttp", "django", "fastapi", "flask", "http", "litestar", "quart", "rest_framework", "starlette", "tornado"}
)
_VERBS = frozenset(
    {"delete", "dispatch", "get", "handle", "head", "list", "create", "options", "patch", "post", "put", "retrieve",
     "update", "destroy"}
)  # fmt: skip


_REGISTERS = frozenset({"add_api_route", "add_route", "add_url_rule", "add_websocket_route", "add_exception_handler"})


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that answers requests. `returns`: what it returns is sent as it is. `error`: the parameter by which
    it is handed an exception, empty if there is none."""

    function: Function
    returns: bool
    error: str


def handlers_of(tree: cst.Module, module: Module) -> Iterator[Handler]:
    """Yield the handlers of a module: by what they take or say to return, by a decorator, by a registration, by the
    framework's class that they are a method of."""
    nodes = every_node(tree)
    classes = [node for node in nodes if isinstance(node, cst.ClassDef)]
    owners = {id(item): node for node in classes for item in statements(node.body)}
    by_name = {node.name.value: node for node in classes}
    routed = set(_routed_names(nodes, module))
    for node in nodes:
        if isinstance(node, cst.FunctionDef):
            owner = owners.get(id(node))
            name = node.name.value
            is_verb = name in _VERBS or name.startswith("do_")
            is_view = owner is not None and is_verb and _is_of_framework(owner, module, by_name)
            is_view = is_view or (owner is None and name in routed)
            if (handler := _handler(node, owner.name.value if owner else "", module, is_view)) is not None:
                yield handler


def _routed_names(nodes: Iterable[cst.CSTNode], module: Module) -> Iterator[str]:
    """Yield the names that calls of a web framework, or of `add_route` and the like, take as arguments."""
    for node in nodes:
        if isinstance(node, cst.Call):
            qualified = module.qualified(node.func) or ""
            is_framework = qualified.partition(".")[0] in _FRAMEWORKS
            if is_framework or last_name(node.func) in _REGISTERS:
                yield from (item.value.value for item in node.args if isinstance(item.value, cst.Name))


def _handler(function: Function, owner: str, module: Module, is_view: bool) -> Handler | None:
    name = function.name.value
    qualified = ".".join(part for part in (module.name, owner, name) if part)
    registered = module.registered
    handles = qualified in registered.handlers or handled_by_decorator(function, module) is not None
    routes = is_route(function, module) or qualified in registered.routes
    if not (handles or routes or is_view or _takes_or_gives(function)):
        return None
    error = ""
    if handles:
        filled = parameters(function)[1 if owner else 0 :]
        required = sum(parameter.default is None for parameter in filled)
        error = error_parameter([parameter.name.value for parameter in filled], required) or ""
    return Handler(function, routes and not handles, error)


def _takes_or_gives(function: Function) -> bool:
    """Return whether the function takes a request, or is annotated to return a response."""
    annotations = " ".join(
        code(parameter.annotation.annotation)
        for parameter in parameters(function)
        if parameter.annotation is not None
    )
    takes = "request" in parameter_names(function) or _REQUESTS.search(annotations) is not None
    return takes or (function.returns is not None and "Response" in code(function.returns.annotation))


def _is_of_framework(node: cst.ClassDef, module: Module, classes: Mapping[str, cst.ClassDef]) -> bool:
    """Return whether a class inherits from one of a web framework, also through classes of the module."""
    waiting, seen = [node], {node.name.value}
    while waiting:
        for base in waiting.pop().bases:
            name = module.qualified(base.value) or ""
            if name.partition(".")[0] in _FRAMEWORKS:
                return True
            own = name.rpartition(".")[2]
            if own in classes and own not in seen:
                seen.add(own)
                waiting.append(classes[own])
    return False
