"""PP004 blocking-call: a call that waits (for a server, a process, a clock) in an `async def`, without a thread."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..analysis.nodes import FunctionNode, decorator_name, own_nodes
from ..analysis.scopes import Function
from ..analysis.value_kinds import ValueKinds
from ..engine.contract import JSON, Example, Finding, Rule, SourceFile, Summaries, TraceStep
from ..engine.mutant import Edit, Mutant, edited, indent_of
from ..tables.blocking_apis import BUILTINS, FUNCTIONS, KINDS, MAKERS

CODE = "PP004"
message = "a call that waits, in an `async def`, without a thread"
reason = """While docker-py, boto3, requests, a subprocess or time.sleep waits, the event loop does nothing else:
every other request, every deadline and every health check waits with it. Run the call in a thread (`await
asyncio.to_thread(f, …)`, or a plain `def` hook, which plugport runs in one), or use a library that does not block.

The rule follows a function of the same module that the `async def` calls. It does not report reading and writing
files, which block for a short time only."""

INVALID = (
    Example("import time\n\n\nasync def wait():\n    time.sleep(1)\n", lines=(5,)),
    Example(
        "from requests import get as fetch\n\n\nasync def load(url):\n    return fetch(url).json()\n", lines=(5,)
    ),
    Example(
        "import docker\n\nclient = docker.from_env()\n\n\nasync def stop(name):\n"
        "    container = client.containers.get(name)\n    container.stop()\n",
        lines=(7, 8),
    ),
    Example(
        "import boto3\n\n\nclass Cloud:\n    def __init__(self):\n        self.ec2 = boto3.client('ec2')\n\n"
        "    async def instances(self):\n        return self.ec2.describe_instances()\n",
        lines=(9,),
    ),
    Example(
        "import subprocess\n\n\ndef version():\n    return subprocess.check_output(['git', '--version'])\n\n\n"
        "async def show():\n    return version()\n",
        lines=(9,),
    ),
    Example(
        "import asyncio, requests\n\n\nasync def load(url):\n    return await asyncio.to_thread(requests.get(url))\n",
        lines=(5,),
    ),
)
VALID = (
    Example("import asyncio, time\n\n\nasync def wait():\n    await asyncio.to_thread(time.sleep, 1)\n"),
    Example("import time\n\n\ndef wait():\n    time.sleep(1)\n"),
    Example(
        "import asyncio, requests\n\n\nasync def load(url):\n    loop = asyncio.get_running_loop()\n"
        "    return await loop.run_in_executor(None, lambda: requests.get(url))\n"
    ),
    Example(
        "import asyncio, docker\n\n\nasync def stop(name):\n    def work():\n"
        "        docker.from_env().containers.get(name).stop()\n\n"
        "    await asyncio.to_thread(work)\n"
    ),
    Example("async def load(requests, url):\n    return requests.get(url)\n"),
    Example("from anyio import sleep\nimport aioboto3 as boto3\n\n\nasync def wait():\n    await sleep(1)\n"),
)

_WANTED = re.compile(
    rb"\b(?:docker|boto3|botocore|requests|httpx|urllib3?|http|subprocess|socket|smtplib|ftplib|paramiko|redis|time"
    rb"|psycopg2?|pymysql|MySQLdb|os|pty|getpass|select|signal|threading|multiprocessing|concurrent|input)\b"
)
_INERT = frozenset({"cache", "classmethod", "lru_cache", "staticmethod", "wraps", "override"})


@dataclass(frozen=True, slots=True)
class _Wait:
    """A place that waits: what is called, what to use instead, and the path there through helpers."""

    line: int
    call: str
    instead: str
    trace: tuple[TraceStep, ...] = ()


class BlockingCall(Rule):
    """The rule. It looks at one file at a time."""

    def wants(self, data: bytes) -> bool:
        """Want files with an `async def` and a library that waits."""
        return b"async" in data and _WANTED.search(data) is not None

    def check(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Iterable[Finding]:
        """Report every waiting call in an `async def` of the file."""
        names = ValueKinds(file.ast(), KINDS, MAKERS)
        helpers = _Helpers(file.relative, names)
        for function in names.functions:
            if isinstance(function.node, ast.AsyncFunctionDef):
                for call in _calls(function.node):
                    wait = _direct(call, function, names) or helpers.through(call, function)
                    if wait is not None:
                        text = (
                            f"{wait.call} blocks the event loop in `async def {function.node.name}`: {wait.instead}"
                        )
                        yield Finding(CODE, file.relative, file.span(call), text, wait.trace)


class _Helpers:
    """The module's own plain functions that wait, directly or through each other."""

    def __init__(self, path: str, names: ValueKinds) -> None:
        self._path = path
        self._names = names
        self._waits: dict[ast.AST, _Wait | None] = {}

    def through(self, call: ast.Call, caller: Function) -> _Wait | None:
        """Return what the call of one of the module's functions waits for, if it waits."""
        target = self._names.called(call, caller.scope, caller.owner)
        if target is None or not _runs_in_place(target):
            return None
        wait = self._wait_of(target)
        if wait is None:
            return None
        step = TraceStep(self._path, wait.line, f"{wait.call} in `{target.node.name}`")
        return _Wait(
            call.lineno, f"{target.node.name}(), which calls {wait.call},", wait.instead, (step, *wait.trace)
        )

    def _wait_of(self, function: Function) -> _Wait | None:
        if function.node not in self._waits:
            self._waits[function.node] = None  # a function that calls itself adds nothing
            for call in _calls(function.node):
                wait = _direct(call, function, self._names) or self.through(call, function)
                if wait is not None:
                    self._waits[function.node] = wait
                    break
        return self._waits[function.node]


def _runs_in_place(function: Function) -> bool:
    """Return whether a call runs the body at once: it is no coroutine and no generator, and no decorator may have
    moved it into a thread."""
    if isinstance(function.node, ast.AsyncFunctionDef):
        return False
    if any(decorator_name(decorator) not in _INERT for decorator in function.node.decorator_list):
        return False
    return not any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(function.node.body))


def _calls(function: FunctionNode) -> Iterator[ast.Call]:
    """Yield the calls that the function itself makes, in order, without those that are awaited."""
    nodes = list(own_nodes(function.body))
    awaited = {id(node.value) for node in nodes if isinstance(node, ast.Await)}
    calls = [node for node in nodes if isinstance(node, ast.Call) and id(node) not in awaited]
    yield from sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _direct(call: ast.Call, function: Function, names: ValueKinds) -> _Wait | None:
    """Return the wait of the call itself."""
    qualified = names.qualified(call.func, function.scope)
    if qualified is not None:
        if qualified in FUNCTIONS:
            return _Wait(call.lineno, f"{qualified}()", f"use {FUNCTIONS[qualified]}, or a thread")
        return None
    if isinstance(call.func, ast.Name):
        if call.func.id in BUILTINS and names.holder(call.func.id, function.scope) is None:
            return _Wait(call.lineno, f"{call.func.id}()", f"use {BUILTINS[call.func.id]}")
        return None
    if isinstance(call.func, ast.Attribute):
        kind = names.kind(call.func.value, function.scope, function.owner)
        if kind is not None and KINDS[kind].blocks(call.func.attr):
            return _Wait(call.lineno, f"{call.func.attr}() of {kind}", "use await asyncio.to_thread(…)")
    return None


def mutants(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Make each `async def` sleep on the event loop."""
    for function in ast.walk(file.ast()):
        if isinstance(function, ast.AsyncFunctionDef) and function.lineno < function.body[0].lineno:
            first = function.body[0]
            line = file.line(first.lineno)
            if not getattr(first, "decorator_list", ()):  # nothing may stand between a decorator and its definition
                lines = (f"{indent_of(file, first)}plugport_mutant.sleep(1)", line)
                text = edited(file, [Edit(first.lineno, first.lineno, lines)], top="import time as plugport_mutant")
                yield Mutant(file.relative, function.lineno, "sleeps on the event loop", text)
