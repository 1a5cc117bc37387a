"""PP001 only-caller: only the functions that a table names call the API that it guards."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..analysis.instance_kinds import GuardedNames, constant_attribute
from ..analysis.literal_text import COMMANDS, command_words, spelled
from ..analysis.nodes import children
from ..analysis.value_kinds import Scope
from ..engine.contract import JSON, Example, Finding, SourceFile, Summaries
from ..engine.errors import ConfigurationError
from ..tables.blocking_apis import Kind
from ..tables.guarded_apis import KINDS, MAKERS, PRESETS, Guard

CODE = "PP001"
message = "Only the function that the configuration names may call this API."
reason = """When two places ask an engine about a container, each has its own idea of what a failure means: one takes
a flaky daemon for a stopped container, the other does not. Ask the one helper that `allow` names; it tells a stopped
container from one that could not be asked."""

_TABLE = {"only-caller": [{"preset": "docker-inspect", "allow": ["running.py::container_state"]}]}
_LISTS = {"only-caller": [{"preset": "docker-list", "allow": []}]}
_OWN = {"only-caller": [{"calls": ["billing.api.charge", "billing.api.Client.refund"], "allow": []}]}


def _bad(code: str, *lines: int, config: Mapping[str, Any] = _TABLE) -> Example:
    return Example(code, config=config, lines=lines)


def _good(code: str, path: str = "example.py", config: Mapping[str, Any] = _TABLE) -> Example:
    return Example(code, config=config, path=path)


INVALID = (
    _bad("import docker\n\n\ndef f(name):\n    return docker.from_env().containers.get(name).status\n", 5, 5),
    _bad("from docker import from_env as fe\n\nclient = fe()\nc = client.containers.get('x')\n", 4),
    _bad(
        "import docker\n\n\nclass Engine:\n    def __init__(self):\n        self.client = docker.from_env()\n\n"
        "    def f(self, name):\n        return self.client.api.inspect_container(name)\n",
        9,
    ),
    _bad(
        "import docker\n\n\ndef f(c: docker.DockerClient):\n"
        "    for one in c.containers.list():\n        one.reload()\n",
        6,
    ),
    _bad(
        "import docker\n\n\ndef ask(client, name):\n    return client.containers.get(name)\n\n\n"
        "def f(name):\n    return ask(docker.from_env(), name)\n",
        5,
    ),
    _bad("import docker\n\n\ndef f():\n    return [c.status for c in docker.from_env().containers.list()]\n", 5),
    _bad("import docker\n\nget = getattr(docker.from_env().containers, 'get')\n", 3),
    _bad(
        "import docker, functools\n\nclient = docker.from_env()\n"
        "ask = functools.partial(client.containers.get, 'x')\n",
        4,
    ),
    _bad(
        "import aiodocker\n\n\nasync def f(n):\n    async with aiodocker.Docker() as d:\n"
        "        c = await d.containers.get(n)\n        return await c.show()\n",
        6,
        7,
    ),
    _bad("import httpx\n\n\ndef f(n):\n    return httpx.get(f'http://engine/containers/{n}/json')\n", 5),
    _bad("import subprocess\n\n\ndef f(n):\n    return subprocess.run(['docker', 'inspect', n])\n", 5),
    _bad("def f(sock, n):\n    sock.sendall(b'GET /containers/x/json HTTP/1.1')\n", 2),
    _bad("import docker\n\n\ndef f():\n    return docker.from_env().containers.list()\n", 5, config=_LISTS),
    _bad("from billing.api import charge, Client\n\ncharge(1)\nClient().refund(2)\n", 3, 4, config=_OWN),
)
VALID = (
    _good(
        "import docker\n\n\ndef container_state(name):\n    def ask():\n"
        "        return docker.from_env().containers.get(name).status\n\n    return ask()\n",
        "running.py",
    ),
    _good("import requests\n\n\ndef f(d):\n    return d.get('x'), requests.get('http://x/containers'), d.status\n"),
    _good(
        "import docker\n\nclient = docker.from_env()\n\n\ndef f(name):\n    client.images.get(name)\n"
        "    return client.containers.list(), client.networks.get(name)\n"
    ),
    _good("import docker\n\n\ndef f(c: docker.models.containers.Container):\n    return c.exec_run('true')\n"),
    _good("import subprocess\n\n\ndef f():\n    return subprocess.run(['docker', 'ps'])\n"),
    _good(
        "class Registry:\n    def __init__(self):\n        self.containers = {}\n\n    def get(self, name):\n"
        "        return self.containers.get(name)\n"
    ),
    _good("import logging\n\nlogging.info('GET /containers/%s/json', 'x')\n"),
    Example("import docker\n\ndocker.from_env().containers.get('x')\n"),
)

_WANTED = re.compile(rb"docker|podman|nerdctl|containers|inspect_container|\.container\b|\bcontainer\.|container\(")
_ALLOW = re.compile(r"[^:]+::\w+(\.\w+)?")
_SENDERS = frozenset(
    {
        "get", "head", "request", "send", "stream", "urlopen", "putrequest", "sendall", "write", "fetch", "post",
        "ws_connect", "_get", "_url", "_query", "_query_json", "_result", "Request", "build_request", "open",
    }
)  # fmt: skip
_CLIENT_NAMES = ("client", "cli", "engine", "daemon", "dc")
_NO_SENDERS = frozenset({"log", "logger", "logging", "_log", "_logger", "LOG", "print", "router", "app", "api", "re"})


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the configuration: what is guarded, and by whom it may be called (path, qualified function)."""

    guard: Guard
    allow: frozenset[tuple[str, str]]


class OnlyCaller:
    """The rule."""

    def __init__(self, config: Mapping[str, JSON]) -> None:
        self._tables = _tables(config.get("only-caller", []))
        own = [name for table in self._tables for name in table.guard.calls]
        classes = {name.rpartition(".")[0] for name in own}
        self._kinds: dict[str, Kind] = dict(KINDS) | {name: Kind(name) for name in classes}
        self._makers: dict[str, str] = dict(MAKERS) | {name: name for name in classes if name}
        words = {name.rpartition(".")[2].encode() for name in own}
        self._words = re.compile(b"|".join(map(re.escape, sorted(words)))) if words else None

    def wants(self, data: bytes) -> bool:
        """Files that speak of containers or of what the project's own tables guard."""
        if not self._tables:
            return False
        return _WANTED.search(data) is not None or (self._words is not None and self._words.search(data) is not None)

    def summarise(self, file: SourceFile) -> JSON:
        """The module's clients, and its functions that return one."""
        if file.module is None:
            return None
        names = self._names(file, {})
        told: dict[str, dict[str, str]] = {"makers": {}, "values": {}}
        for name in names.module.values:
            kind = names.scope_kind(ast.Name(name), names.module, None)
            if kind in self._kinds:
                told["values"][f"{file.module}.{name}"] = kind
        for name in names.module.functions:
            kind = names.scope_kind(ast.Call(ast.Name(name), [], []), names.module, None)
            if kind in self._kinds:
                told["makers"][f"{file.module}.{name}"] = kind
        return told if told["makers"] or told["values"] else None

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """All of them together."""
        linked: dict[str, dict[str, JSON]] = {"makers": {}, "values": {}}
        for told in summaries.values():
            if isinstance(told, Mapping):
                for part, names in linked.items():
                    found = told.get(part)
                    names.update(found if isinstance(found, Mapping) else {})
        return linked

    def check(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Iterable[Finding]:
        """Every use of a guarded API outside of the functions that may."""
        names = self._names(file, linked if isinstance(linked, Mapping) else {})
        walk = _Walk(file.ast(), names)
        for node, scope, owner, place in walk.nodes():
            for table in self._tables:
                if (what := _Seen(node, scope, owner, names, walk).use_of(table.guard)) is None:
                    continue
                if (file.relative, place) in table.allow:
                    continue
                allowed = ", ".join(f"{path}::{name}" for path, name in sorted(table.allow)) or "nobody"
                text = f"{what} is guarded ({table.guard.name}); it may be called by {allowed} alone"
                yield Finding(CODE, file.relative, file.span(node), text)
                break

    def _names(self, file: SourceFile, linked: Mapping[str, Any]) -> GuardedNames:
        module = file.module or ""
        package = module if file.relative.endswith("__init__.py") else module.rpartition(".")[0]
        makers, values = dict(linked.get("makers", {})), dict(linked.get("values", {}))
        if makers or values:
            return GuardedNames(file.ast(), self._kinds, self._makers | makers, values, package)
        return file.derived(CODE, lambda: GuardedNames(file.ast(), self._kinds, self._makers, {}, package))


def _tables(given: object) -> list[_Table]:
    if not isinstance(given, list | tuple):
        raise ConfigurationError("", "[[tool.plugport.lint.only-caller]] is an array of tables")
    return [_table(one) for one in given]


def _table(given: object) -> _Table:
    if not isinstance(given, Mapping):
        raise ConfigurationError("", "[[tool.plugport.lint.only-caller]] is an array of tables")
    unknown = sorted(set(given) - {"preset", "calls", "allow"})
    if unknown:
        raise ConfigurationError("only-caller", f"unknown key {unknown[0]!r}; there are preset, calls and allow")
    preset, calls, allow = given.get("preset"), given.get("calls", []), given.get("allow", [])
    if preset is not None and preset not in PRESETS:
        raise ConfigurationError("only-caller", f"unknown preset {preset!r}; there are {', '.join(PRESETS)}")
    if not _texts(calls) or not _texts(allow):
        raise ConfigurationError("only-caller", "calls and allow are lists of texts")
    if preset is None and not calls:
        raise ConfigurationError(
            "only-caller", "give a preset, or the guarded functions as calls = ['package.function']"
        )
    for one in allow:
        if not _ALLOW.fullmatch(one):
            raise ConfigurationError("only-caller", f"allow takes path::function or path::Class.method, not {one!r}")
    base = PRESETS[preset] if preset is not None else Guard(", ".join(calls))
    guard = Guard(
        base.name,
        base.members,
        frozenset(calls),
        base.routes,
        base.commands,
        base.anywhere,
        base.collection_methods,
    )
    return _Table(guard, frozenset((path, name) for path, _, name in (one.partition("::") for one in allow)))


def _texts(given: object) -> bool:
    return isinstance(given, list | tuple) and all(isinstance(one, str) for one in given)


_Place = tuple[ast.expr, Scope, "Scope | None", str]


class _Walk:
    """Every expression of a file with its scope, its class, and the function that it counts for: the module-level
    function or the method of a module-level class, with all that is nested in it."""

    def __init__(self, tree: ast.Module, names: GuardedNames) -> None:
        self._tree, self._names = tree, names
        self._functions = {id(one.node): one for one in names.functions}
        self.imports_docker = any(
            name.partition(".")[0] in {"docker", "aiodocker", "podman"} for name in names.module.imports.values()
        )
        self.decorators = {id(one) for function in names.functions for one in function.node.decorator_list}

    def nodes(self) -> Iterator[_Place]:
        """In the order of the file."""
        stack: list[tuple[ast.AST, Scope, Scope | None, tuple[str, ...], bool]] = [
            (child, self._names.module, None, (), False) for child in reversed(self._tree.body)
        ]
        while stack:
            node, scope, owner, place, closed = stack.pop()
            if isinstance(node, ast.expr):
                yield node, scope, owner, ".".join(place)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                function = self._functions[id(node)]
                scope, owner = function.scope, function.owner
                place, closed = (place, closed) if closed else ((*place, node.name), True)
            elif isinstance(node, ast.ClassDef):
                scope = self._names.scope_of_class(node.name) or scope
                owner = scope if scope.is_class else owner
                place, closed = (place, closed) if closed else ((*place, node.name), bool(place))
            stack += [(child, scope, owner, place, closed) for child in children(node)]


@dataclass(frozen=True, slots=True)
class _Seen:
    """One expression where it stands."""

    node: ast.expr
    scope: Scope
    owner: Scope | None
    names: GuardedNames
    walk: _Walk

    def use_of(self, guard: Guard) -> str | None:
        """What of the guarded API the expression uses, in words; None where it uses nothing."""
        node = self.node
        if isinstance(node, ast.Attribute):
            heard = node.attr in guard.words and isinstance(node.ctx, ast.Load)
            return self._named(node, guard) if heard else None
        if isinstance(node, ast.Name):
            return self._named(node, guard) if guard.calls and isinstance(node.ctx, ast.Load) else None
        if isinstance(node, ast.Call):
            if (read := constant_attribute(node)) is not None:
                return self._member(read, guard)
            return self._route(node, guard) or self._command(node, guard)
        return None

    def _named(self, node: ast.Attribute | ast.Name, guard: Guard) -> str | None:
        qualified = self.names.qualified(node, self.scope)
        if qualified is not None and qualified in guard.calls:
            return f"{qualified}()"
        return self._member(node, guard) if isinstance(node, ast.Attribute) else None

    def _member(self, node: ast.Attribute, guard: Guard) -> str | None:
        kind = self.names.scope_kind(node.value, self.scope, self.owner)
        if kind is None and (qualified := self.names.qualified(node.value, self.scope)) is not None:
            kind = self.names.makers.get(qualified)
        if kind is not None:
            if node.attr in guard.members.get(kind, frozenset()):
                return f"`{node.attr}` of {kind}"
            return f"{kind}.{node.attr}()" if f"{kind}.{node.attr}" in guard.calls else None
        if node.attr in guard.anywhere:
            return f"`{node.attr}`"
        match node:
            case ast.Attribute(value=ast.Attribute(value=client, attr="containers"), attr=method) if (
                method in guard.collection_methods and self._seems_a_client(client)
            ):
                return f"`containers.{method}`"
        return None

    def _seems_a_client(self, node: ast.expr) -> bool:
        """A receiver of which nothing is known, by its name: only for `X.containers.METHOD`."""
        if self.names.scope_kind(node, self.scope, self.owner) is not None:
            return False
        if isinstance(node, ast.Call):
            node = node.func
        name = (
            node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        ).lower()
        if name in {"self", "cls"}:
            return False
        return "docker" in name or (self.walk.imports_docker and any(one in name for one in _CLIENT_NAMES))

    def _route(self, call: ast.Call, guard: Guard) -> str | None:
        if not guard.routes or id(call) in self.walk.decorators:
            return None
        func = call.func
        name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        root = ast.unparse(func).partition(".")[0].partition("(")[0]
        if name not in _SENDERS or root in _NO_SENDERS:
            return None
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            text = spelled(argument, self.names, self.scope)
            if text is not None and any(re.search(route, text) for route in guard.routes):
                return "this route of the engine"
        return None

    def _command(self, call: ast.Call, guard: Guard) -> str | None:
        if not guard.commands:
            return None
        words = command_words(call, self.names, self.scope)
        for command in guard.commands:
            if words[1 : len(command) + 1] == list(command) and words[0] in COMMANDS and not _of_another_type(words):
                return f"`{' '.join(words[: len(command) + 1])}`"
        return None


def _of_another_type(words: list[str]) -> bool:
    """`docker inspect --type=image` asks for no container."""
    joined = " ".join(words)
    return bool(re.search(r"--type[ =](?!container\b)\w", joined))


__all__ = ["CODE", "INVALID", "VALID", "OnlyCaller", "message", "reason"]
