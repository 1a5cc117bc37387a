"""PP001 only-caller: only the functions that a table names call the API that it guards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst

from ..analysis.commands import command_words
from ..analysis.instance_kinds import InstanceKinds
from ..analysis.literal_text import literal_text
from ..analysis.places import Place, PlaceTracker, not_read
from ..analysis.syntax import code, every_node, getattr_as_attribute, last_name, passed_values
from ..engine.contract import JSON, Example, SourceFile
from ..engine.errors import ConfigurationError
from ..engine.imports import package_of
from ..engine.lint_rule import LintRule
from ..engine.mutant import Edit, Mutant, edited
from ..tables.guarded_apis import COMMANDS, KINDS, MAKERS, PRESETS, Guard
from ..tables.kinds import Kind

CODE = "PP001"
message = "Only the function that the configuration names may call this API."
reason = """When two places ask an engine about a container, each has its own idea of what a failure means: one takes
a flaky daemon for a stopped container, the other does not. Ask the one helper that `allow` names; it tells a stopped
container from one that could not be asked."""
how_to_fix = """Call the helper that `allow` names. If it does not answer what you need to know, let it answer more,
so that one place still decides what a failure means. Where the code only reads a state, `--fix --unsafe` writes the
call and its import."""
when_to_suppress = """A tool that must look at the engine itself, as a debugging command. If a second function has a
right to ask, it belongs under `allow`, where a reader of the configuration sees it."""

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
        "    for container in c.containers.list():\n        container.reload()\n",
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
_OTHER_TYPE = re.compile(r"--type[ =](?!container\b)\w")
"""`docker inspect --type=image` asks for no container."""
_MUTANT_CALLS = {
    "docker-inspect": "plugport_mutant.from_env().containers.get('name')",
    "docker-list": "plugport_mutant.from_env().containers.list(all=True)",
}
_NO_SENDERS = frozenset({"log", "logger", "logging", "_log", "_logger", "LOG", "print", "router", "app", "api", "re"})


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the configuration: the guarded API, and who may call it (path, qualified function)."""

    guard: Guard
    allow: frozenset[tuple[str, str]]


class OnlyCaller(LintRule):
    """The rule."""

    code = CODE
    message = message
    reason = reason
    VALID = VALID
    INVALID = INVALID

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._tables = [_table(table) for table in config.get("only-caller", [])]
        calls = [name for table in self._tables for name in table.guard.calls]
        classes = {name.rpartition(".")[0] for name in calls}
        self._kinds: dict[str, Kind] = dict(KINDS) | {name: Kind(name) for name in classes}
        self._makers: dict[str, str] = dict(MAKERS) | {name: name for name in classes if name}
        words = {name.rpartition(".")[2].encode() for name in calls}
        self._words = re.compile(b"|".join(map(re.escape, sorted(words)))) if words else None

    def wants(self, data: bytes) -> bool:
        """Want files that name containers, or what a table with `calls` guards."""
        if not self._tables:
            return False
        return _WANTED.search(data) is not None or (self._words is not None and self._words.search(data) is not None)

    def summarise(self, file: SourceFile) -> JSON:
        """Return the module's clients, and its functions that return one."""
        if file.module is None:
            return None
        names = self._names(file, {})
        values = {name: names.kind(cst.Name(name), names.module, None) for name in names.module.values}
        makers = {name: names.kind(cst.Call(cst.Name(name)), names.module, None) for name in names.module.functions}
        summary: dict[str, JSON] = {
            part: {f"{file.module}.{name}": kind for name, kind in kinds.items() if kind in self._kinds}
            for part, kinds in (("makers", makers), ("values", values))
        }
        return summary if any(summary.values()) else None

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """Merge the summaries."""
        linked: dict[str, dict[str, JSON]] = {"makers": {}, "values": {}}
        for summary in summaries.values():
            if isinstance(summary, Mapping):
                for part, kinds in linked.items():
                    kinds_here = summary.get(part)
                    kinds.update(kinds_here if isinstance(kinds_here, Mapping) else {})
        return linked

    def visit_Module(self, node: cst.Module) -> None:
        """Learn of which kind the values of the module are."""
        names = self._names(self.file, self.linked if isinstance(self.linked, Mapping) else {})
        self._uses = _Uses(names, node)
        self._places = PlaceTracker(names)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Go into the function."""
        self._places.enter(node)

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        """Go out of the function."""
        self._places.leave()

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        """Go into the class."""
        self._places.enter(node)

    def leave_ClassDef(self, original_node: cst.ClassDef) -> None:
        """Go out of the class."""
        self._places.leave()

    def visit_Import(self, node: cst.Import) -> bool:
        """Nothing in an import is a use."""
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        """Nothing in an import is a use."""
        return False

    def visit_Name(self, node: cst.Name) -> None:
        """Judge a name."""
        self._judge(node)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        """Judge an attribute."""
        self._judge(node)

    def visit_Call(self, node: cst.Call) -> None:
        """Judge a call."""
        self._judge(node)

    def _judge(self, node: cst.Name | cst.Attribute | cst.Call) -> None:
        place = self._places.current
        for table in self._tables:
            use = self._uses.of(table.guard, node, place)
            if use is None or (self.file.relative, place.function) in table.allow:
                continue
            allowed = ", ".join(f"{path}::{name}" for path, name in sorted(table.allow)) or "nobody"
            self.report(node, f"{use} is guarded ({table.guard.name}); it may be called by {allowed} alone")
            break

    def _names(self, file: SourceFile, linked: Mapping[str, Any]) -> InstanceKinds:
        makers, values = linked.get("makers", {}), linked.get("values", {})

        def make() -> InstanceKinds:
            return InstanceKinds(file.tree(), self._kinds, self._makers | makers, values, package_of(file))

        return make() if makers or values else file.derived(CODE, make)


def _table(table: Mapping[str, Any]) -> _Table:
    unknown = sorted(set(table) - {"preset", "calls", "allow"})
    if unknown:
        raise ConfigurationError("only-caller", f"unknown key {unknown[0]!r}; there are preset, calls and allow")
    preset, calls, allow = table.get("preset"), table.get("calls", []), table.get("allow", [])
    if preset is not None and preset not in PRESETS:
        raise ConfigurationError("only-caller", f"unknown preset {preset!r}; there are {', '.join(PRESETS)}")
    if not _are_texts(calls) or not _are_texts(allow):
        raise ConfigurationError("only-caller", "calls and allow are lists of texts")
    if preset is None and not calls:
        raise ConfigurationError(
            "only-caller", "give a preset, or the guarded functions as calls = ['package.function']"
        )
    for entry in allow:
        if not _ALLOW.fullmatch(entry):
            raise ConfigurationError(
                "only-caller", f"allow takes path::function or path::Class.method, not {entry!r}"
            )
    guard = replace(PRESETS[preset] if preset is not None else Guard(", ".join(calls)), calls=frozenset(calls))
    return _Table(guard, frozenset((path, name) for path, _, name in (entry.partition("::") for entry in allow)))


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


class _Uses:
    """Tells which expressions of one module use a guarded API."""

    def __init__(self, names: InstanceKinds, tree: cst.Module) -> None:
        self._names = names
        self._imports_docker = any(
            name.partition(".")[0] in {"docker", "aiodocker", "podman"} for name in names.module.imports.values()
        )
        nodes = every_node(tree)
        self._decorators = {node.decorator for node in nodes if isinstance(node, cst.Decorator)}
        self._not_read = {target for node in nodes for target in not_read(node)}

    def of(self, guard: Guard, node: cst.Name | cst.Attribute | cst.Call, place: Place) -> str | None:
        """Return what of the guarded API the expression uses, in words; None if it uses nothing."""
        if isinstance(node, cst.Attribute):
            is_candidate = node.attr.value in guard.words and node not in self._not_read
            return self._name(node, place, guard) or self._member(node, place, guard) if is_candidate else None
        if isinstance(node, cst.Name):
            return self._name(node, place, guard) if guard.calls and node not in self._not_read else None
        if (attribute := getattr_as_attribute(node)) is not None:
            return self._member(attribute, place, guard)
        return self._route(node, place, guard) or self._command(node, place, guard)

    def _name(self, node: cst.Attribute | cst.Name, place: Place, guard: Guard) -> str | None:
        qualified = self._names.qualified(node, place.scope)
        return f"{qualified}()" if qualified is not None and qualified in guard.calls else None

    def _member(self, node: cst.Attribute, place: Place, guard: Guard) -> str | None:
        name = node.attr.value
        kind = self._names.kind(node.value, place.scope, place.owner)
        if kind is None and (qualified := self._names.qualified(node.value, place.scope)) is not None:
            kind = self._names.makers.get(qualified)
        if kind is not None:
            if name in guard.members.get(kind, frozenset()):
                return f"`{name}` of {kind}"
            return f"{kind}.{name}()" if f"{kind}.{name}" in guard.calls else None
        if name in guard.anywhere:
            return f"`{name}`"
        match node:
            case cst.Attribute(value=cst.Attribute(value=client, attr=cst.Name(value="containers"))) if (
                name in guard.collection_methods and self._is_named_as_client(client, place)
            ):
                return f"`containers.{name}`"
        return None

    def _is_named_as_client(self, node: cst.BaseExpression, place: Place) -> bool:
        """Return whether a value of unknown kind has the name of a client; asked for `X.containers.METHOD` alone."""
        if self._names.kind(node, place.scope, place.owner) is not None:
            return False
        name = last_name(node.func if isinstance(node, cst.Call) else node).lower()
        if name in {"self", "cls"}:
            return False
        return "docker" in name or (self._imports_docker and any(part in name for part in _CLIENT_NAMES))

    def _route(self, call: cst.Call, place: Place, guard: Guard) -> str | None:
        if not guard.routes or call in self._decorators or last_name(call.func) not in _SENDERS:
            return None
        if code(call.func).partition(".")[0].partition("(")[0] in _NO_SENDERS:
            return None
        for argument in passed_values(call):
            text = literal_text(argument, self._names, place.scope)
            if text is not None and any(re.search(route, text) for route in guard.routes):
                return "this route of the engine"
        return None

    def _command(self, call: cst.Call, place: Place, guard: Guard) -> str | None:
        if not guard.commands:
            return None
        words = command_words(call, self._names, place.scope)
        if not words or words[0] not in COMMANDS or _OTHER_TYPE.search(" ".join(words)):
            return None
        used = [command for command in guard.commands if tuple(words[1 : len(command) + 1]) == command]
        return f"`{' '.join(words[: len(used[0]) + 1])}`" if used else None


def mutants(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Make each consumer of an allowed function ask the guarded API itself."""
    for guard in table.get("only-caller", ()):
        names = {entry.partition("::")[2].rpartition(".")[2] for entry in guard.get("allow", ())}
        if guard.get("preset") in PRESETS:
            top, call_text = "import docker as plugport_mutant", _MUTANT_CALLS[guard["preset"]]
        else:
            module, _, name = str(guard["calls"][0]).rpartition(".")
            top, call_text = f"from {module} import {name} as plugport_mutant", "plugport_mutant()"
        for call in _one_line_calls(file, names):
            span = file.span(call)
            line = file.line(span.line)
            if any(f"def {name}" in line for name in names):
                continue
            changed = line[: span.column - 1] + call_text + line[span.end_column - 1 :]
            text = edited(file, [Edit(span.line, span.line, (changed,))], top=top)
            yield Mutant(file.relative, span.line, f"asks the guarded API itself: {call_text}", text)


def _one_line_calls(file: SourceFile, names: set[str]) -> Iterator[cst.Call]:
    """Yield the calls of these names in simple statements of one line."""
    for line in every_node(file.tree()):
        if isinstance(line, cst.SimpleStatementLine):
            for node in every_node(line):
                if isinstance(node, cst.Call) and last_name(node.func) in names:
                    span = file.span(line)
                    if span.line == span.end_line:
                        yield node
