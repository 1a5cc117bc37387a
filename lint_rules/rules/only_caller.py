"""PP001 only-caller: only the functions that a table names call the API that it guards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst

from ..analysis.fixes.helper_calls import Helper, describe_helper, helper_call
from ..analysis.guarded_module import GuardedModule, NamesOfProject, link, summary_of_module
from ..analysis.places import PlaceTracker
from ..analysis.syntax import every_node, last_name, statements
from ..engine.contract import JSON, Example, Fix, SourceFile, Summaries
from ..engine.errors import ConfigurationError
from ..engine.lint_rule import LintRule
from ..engine.mutant import Edit, Mutant, edited, indent_of
from ..tables.guarded_apis import PRESETS, Guard

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

_WANTED = re.compile(
    rb"docker|podman|nerdctl|testcontainers|python_on_whales|[\"'./}]containers\b|containers/|inspect_container"
    rb"|[\"']inspect\b|inspect[\"']"
)
_SMALL = 3_000
"""Bytes of a module that is followed though it names no engine."""
_SMALL_PACKAGE = 20_000
"""The same of a package's `__init__.py`."""
_RESULT = re.compile(rb"\breturn\b|\byield\b|^\w+ *=", re.MULTILINE)
_ALLOW = re.compile(r"[^:]+::\w+(\.\w+)?")
_MUTANT_CALLS = {
    "docker-inspect": "plugport_mutant.from_env().containers.get('name')",
    "docker-list": "plugport_mutant.from_env().containers.list(all=True)",
}


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
        self._guards = [table.guard for table in self._tables]
        self._allowed: dict[str, set[str]] = {}
        for path, name in (entry for table in self._tables for entry in table.allow):
            self._allowed.setdefault(path, set()).add(name)
        words = {part.encode() for guard in self._guards for name in guard.calls for part in name.split(".")[-2:]}
        self._names: tuple[JSON, NamesOfProject] | None = None
        self._words = re.compile(b"|".join(map(re.escape, sorted(words)))) if words else None

    def wants(self, data: bytes) -> bool:
        """Want every file, if there is a table: which of them are read, the project's facts tell."""
        return bool(self._tables)

    def _is_wanted(self, data: bytes) -> bool:
        """Return whether the file names containers, or what a table with `calls` guards."""
        return _WANTED.search(data) is not None or (self._words is not None and self._words.search(data) is not None)

    def summarise(self, file: SourceFile) -> JSON:
        """Return the clients of the module, its functions and classes that give one or run a command, and the helper
        that a fix can call."""
        if file.module is None or not (
            self._is_wanted(file.data) or _hands_on(file) or file.relative in self._allowed
        ):
            return None
        summary = summary_of_module(file, self._guards)
        helpers = {
            f"{file.relative}::{name}": helper.to_json()
            for name in self._allowed.get(file.relative, ())
            if (helper := describe_helper(file, name)) is not None
        }
        if not helpers:
            return summary
        return {**(summary if isinstance(summary, Mapping) else {}), "helpers": helpers}

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """Merge the summaries."""
        linked = link(summaries)
        helpers: dict[str, JSON] = {}
        for summary in summaries.values():
            described = summary.get("helpers") if isinstance(summary, Mapping) else None
            helpers.update(described if isinstance(described, Mapping) else {})
        return {**linked, "helpers": helpers} if helpers and isinstance(linked, Mapping) else linked

    def reads(self, file: SourceFile, linked: JSON, summaries: Summaries) -> bool:
        """Read what names containers, and what names something of the project that is a client or runs commands."""
        if self._names is None or self._names[0] is not linked:
            self._names = (linked, NamesOfProject(linked))
        return self._is_wanted(file.data) or self._names[1].are_in(file.data)

    def visit_Module(self, node: cst.Module) -> None:
        """Learn of which kind the values of the module are."""
        module = GuardedModule.of(self.file, self._guards, self.linked)
        self._uses = module.uses
        self._places = PlaceTracker(module.bindings)

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

    def visit_Lambda(self, node: cst.Lambda) -> None:
        """Go into the lambda."""
        self._places.enter(node)

    def leave_Lambda(self, original_node: cst.Lambda) -> None:
        """Go out of the lambda."""
        self._places.leave()

    def visit_Subscript(self, node: cst.Subscript) -> None:
        """Judge `docker["inspect", name]` of plumbum."""
        self._judge(node)

    def visit_Name(self, node: cst.Name) -> None:
        """Judge a name."""
        self._judge(node)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        """Judge an attribute."""
        self._judge(node)

    def visit_Call(self, node: cst.Call) -> None:
        """Judge a call."""
        self._judge(node)

    def _judge(self, node: cst.BaseExpression) -> None:
        place = self._places.current
        for table in self._tables:
            use = self._uses.of(table.guard, node, place.scope)
            if use is None or (self.file.relative, place.function) in table.allow:
                continue
            allowed = ", ".join(f"{path}::{name}" for path, name in sorted(table.allow)) or "nobody"
            text = f"{use} is guarded ({table.guard.name}); it may be called by {allowed} alone"
            self.report(node, text, fix=self._fix(node, table))
            break

    def _fix(self, node: cst.BaseExpression, table: _Table) -> Fix | None:
        """Return the call of the one function that may ask; None if there are several, or none that answers it."""
        helpers = self.linked.get("helpers") if isinstance(self.linked, Mapping) else None
        if len(table.allow) != 1 or not isinstance(helpers, Mapping):
            return None
        ((path, name),) = table.allow
        helper = Helper.from_json(helpers.get(f"{path}::{name}"))
        return helper_call(self.file, node, helper) if helper is not None else None


def _hands_on(file: SourceFile) -> bool:
    """Return whether the file may hand on what another module of the project makes: a package's, or a small one."""
    if b"import" not in file.data:
        return False
    limit = _SMALL_PACKAGE if file.relative.endswith("__init__.py") else _SMALL
    return len(file.data) < limit and (limit == _SMALL_PACKAGE or _RESULT.search(file.data) is not None)


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


def mutants(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Make each consumer of an allowed function ask the guarded API itself; and a function of the file, for each API
    of a table with `calls`, and of one that allows nobody."""
    for guard in table.get("only-caller", ()):
        allowed = guard.get("allow", ())
        names = {entry.partition("::")[2].rpartition(".")[2] for entry in allowed}
        questions = list(_questions(guard))
        for call in _one_line_calls(file, names):
            span = file.span(call)
            line = file.line(span.line)
            if any(f"def {name}" in line for name in names):
                continue
            for top, question in questions[:1]:
                changed = line[: span.column - 1] + question + line[span.end_column - 1 :]
                text = edited(file, [Edit(span.line, span.line, (changed,))], top=top)
                yield Mutant(file.relative, span.line, f"asks the guarded API itself: {question}", text)
        if guard.get("calls") or not allowed:
            yield from _new_questions(
                file, questions, {entry for entry in allowed if entry.startswith(file.relative)}
            )


def _questions(guard: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield an import and a call for the preset of a table, and for each of its `calls`."""
    if guard.get("preset") in PRESETS:
        yield "import docker as plugport_mutant", _MUTANT_CALLS[guard["preset"]]
    for dotted in guard.get("calls", ()):
        module, _, name = dotted.rpartition(".")
        package, _, owner = module.rpartition(".")
        if package and owner[:1].isupper():
            yield f"from {package} import {owner} as plugport_mutant", f"plugport_mutant().{name}()"
        elif module:
            yield f"from {module} import {name} as plugport_mutant", "plugport_mutant()"


def _new_questions(file: SourceFile, questions: Iterable[tuple[str, str]], allowed: set[str]) -> Iterator[Mutant]:
    """Make the first function of the file that may not ask do so."""
    for function in statements(file.tree()):
        if not isinstance(function, cst.FunctionDef) or f"{file.relative}::{function.name.value}" in allowed:
            continue
        first = statements(function.body)[0]
        line = file.span(first).line
        if line == file.span(function).line or getattr(first, "decorators", None):
            continue
        for top, question in questions:
            lines = (f"{indent_of(file, first)}{question}", file.line(line))
            text = edited(file, [Edit(line, line, lines)], top=top)
            yield Mutant(file.relative, line, f"asks the guarded API itself, in a new line: {question}", text)
        return


def _one_line_calls(file: SourceFile, names: set[str]) -> Iterator[cst.Call]:
    """Yield the calls of these names in simple statements of one line."""
    for line in every_node(file.tree()):
        if isinstance(line, cst.SimpleStatementLine):
            for node in every_node(line):
                if isinstance(node, cst.Call) and last_name(node.func) in names:
                    span = file.span(line)
                    if span.line == span.end_line:
                        yield node
