"""Finds the functions of a module that answer requests, as far as the module itself says."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from ..syntax import Function, annotation_of, code, every_node, last_name, parameters, statements
from .module import Module
from .registrations import error_parameter, handled_by_decorator, is_route
from .sink_table import SinkTable

_REQUESTS = re.compile(r"\b(?:Request|HttpRequest|WebSocket|HTTPConnection)\b")
_FRAMEWORKS = frozenset(
    {"aiohttp", "django", "fastapi", "flask", "http", "litestar", "quart", "rest_framework", "starlette", "tornado"}
)
_VERBS = frozenset(
    {"delete", "dispatch", "get", "handle", "head", "list", "create", "options", "patch", "post", "put", "retrieve",
     "update", "destroy"}
)  # fmt: skip

_REGISTERS = frozenset({"add_api_route", "add_route", "add_url_rule", "add_websocket_route", "add_exception_handler"})
_SIGNS = (
    rb"\brequest\b\s*[,)=]|\b(?:Request|HttpRequest|WebSocket|HTTPConnection)\b|Response|(?i:handlers)"
    rb"|\b(?:from|import)[ \t]+(?:[\w.]+[ \t]*,[ \t]*)*(?:%b)"
    rb"|^[ \t]*@(?:(?:[\w.]*\.)?(?:%b)\b|(?!dataclass\b)\w+\()"
)
"""A request, a response, a table of handlers, an import of a framework, a decorator that may make a route."""
_DEFINED = re.compile(rb"\bdef[ \t]+(\w+)")
_REGISTRATION = (
    rb"(?:\.(?:%b|add_\w+)\b.{0,300}?|(?:Error|Exception|Warning|Exit)[ \t]*:[ \t]*)(?<!\w)(?:%b)\s*[,)\]}]"
)
"""A function of the file stands in a call that may register it, or in a table of exceptions."""


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that answers requests. `returns`: what it returns is sent as it is. `error`: the parameter by which
    it is handed an exception of any class or of one of Python's, whose text is raw; empty if there is none."""

    function: Function
    returns: bool
    error: str


def may_have_handlers(data: bytes, table: SinkTable) -> bool:
    """Return whether a file may have handlers, by its bytes, which is far cheaper than to parse it."""
    packages, registering = _any_of(table.packages | _FRAMEWORKS), _any_of(table.registering)
    if re.search(_SIGNS % (packages, registering), data, re.MULTILINE):
        return True
    names = _any_of(name.decode() for name in _DEFINED.findall(data))
    return bool(names) and re.search(_REGISTRATION % (registering, names), data, re.DOTALL) is not None


def _any_of(names: Iterable[str]) -> bytes:
    return "|".join(sorted(set(names))).encode()


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
    if not (handles or routes or is_view or _takes_or_gives(function, module)):
        return None
    error = ""
    if handles:
        filled = parameters(function)[1 if owner else 0 :]
        required = sum(parameter.default is None for parameter in filled)
        error = error_parameter([parameter.name.value for parameter in filled], required) or ""
        if not _is_raw(function, error, registered.handlers.get(qualified, ""), module):
            error = ""
    return Handler(function, routes and not handles, error)


def _is_raw(function: Function, parameter: str, registered: str, module: Module) -> bool:
    """Return whether the exception that a handler is handed is of any class, or of one of Python's."""
    says = handled_by_decorator(function, module) or annotation_of(function, parameter)
    kind = registered or (module.qualified(says) if says is not None else None) or "Exception"
    return isinstance(getattr(builtins, kind, None), type)


def _takes_or_gives(function: Function, module: Module) -> bool:
    """Return whether the function takes a request, or is annotated to return a response. What is called `request` and
    is of another class may be anything, if nothing of a web framework is imported beside it."""
    if function.returns is not None and "Response" in code(function.returns.annotation):
        return True
    for parameter in parameters(function):
        annotation = "" if parameter.annotation is None else code(parameter.annotation.annotation)
        if _REQUESTS.search(annotation) is not None:
            return True
        if parameter.name.value == "request" and (not annotation or _imports_framework(module)):
            return True
    return False


def _imports_framework(module: Module) -> bool:
    return not {name.partition(".")[0] for name in module.imports.values()}.isdisjoint(
        module.table.packages | _FRAMEWORKS
    )


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
