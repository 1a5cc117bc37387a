"""PP004 blocking-call: a call that waits (for a server, a process, a clock) in an `async def`, without a thread."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import libcst as cst

from ..analysis.fixes.threads import in_thread
from ..analysis.scopes import Function
from ..analysis.syntax import decorator_name, every_node, is_async, last_name, own_nodes, statements
from ..analysis.value_kinds import ValueKinds
from ..engine.contract import Example, SourceFile, TraceStep
from ..engine.lint_rule import LintRule
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

    node: cst.Call
    call: str
    instead: str
    trace: tuple[TraceStep, ...] = ()


class BlockingCall(LintRule):
    """The rule. It looks at one file at a time."""

    code = CODE
    message = message
    reason = reason
    VALID = VALID
    INVALID = INVALID

    def wants(self, data: bytes) -> bool:
        """Want files with an `async def` and a library that waits."""
        return b"async" in data and _WANTED.search(data) is not None

    def visit_Module(self, node: cst.Module) -> None:
        """Learn of which kind the values of the module are."""
        self._names = ValueKinds(node, KINDS, MAKERS)
        self._helpers = _Helpers(self.file, self._names)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Report every waiting call in an `async def`."""
        if not is_async(node):
            return
        function = self._names.function_at[node]
        for call in _calls(node):
            wait = _direct(call, function, self._names) or self._helpers.through(call, function)
            if wait is not None:
                text = f"{wait.call} blocks the event loop in `async def {function.name}`: {wait.instead}"
                self.report(call, text, trace=wait.trace, fix=in_thread(self.file, call))


class _Helpers:
    """The module's own plain functions that wait, directly or through each other."""

    def __init__(self, file: SourceFile, names: ValueKinds) -> None:
        self._file = file
        self._names = names
        self._waits: dict[cst.FunctionDef, _Wait | None] = {}

    def through(self, call: cst.Call, caller: Function) -> _Wait | None:
        """Return what the call of one of the module's functions waits for, if it waits."""
        target = self._names.called(call, caller.scope, caller.owner)
        if target is None or not _runs_in_place(target):
            return None
        wait = self._wait_of(target)
        if wait is None:
            return None
        line = self._file.span(wait.node).line
        step = TraceStep(self._file.relative, line, f"{wait.call} in `{target.name}`")
        return _Wait(call, f"{target.name}(), which calls {wait.call},", wait.instead, (step, *wait.trace))

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
    if is_async(function.node):
        return False
    if any(decorator_name(decorator) not in _INERT for decorator in function.node.decorators):
        return False
    return not any(isinstance(node, cst.Yield) for node in own_nodes([function.node.body]))


def _calls(function: cst.FunctionDef) -> Iterator[cst.Call]:
    """Yield the calls that the function itself makes, without those that are awaited."""
    nodes = list(own_nodes([function.body]))
    awaited = {node.expression for node in nodes if isinstance(node, cst.Await)}
    return (node for node in nodes if isinstance(node, cst.Call) and node not in awaited)


def _direct(call: cst.Call, function: Function, names: ValueKinds) -> _Wait | None:
    """Return the wait of the call itself."""
    qualified = names.qualified(call.func, function.scope)
    if qualified is not None:
        if qualified in FUNCTIONS:
            return _Wait(call, f"{qualified}()", f"use {FUNCTIONS[qualified]}, or a thread")
        return None
    name = last_name(call.func)
    if isinstance(call.func, cst.Name):
        if name in BUILTINS and names.holder(name, function.scope) is None:
            return _Wait(call, f"{name}()", f"use {BUILTINS[name]}")
        return None
    if isinstance(call.func, cst.Attribute):
        kind = names.kind(call.func.value, function.scope, function.owner)
        if kind is not None and KINDS[kind].blocks(name):
            return _Wait(call, f"{name}() of {kind}", "use await asyncio.to_thread(…)")
    return None


def mutants(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Make each `async def` sleep on the event loop."""
    for function in every_node(file.tree()):
        if not isinstance(function, cst.FunctionDef) or not is_async(function):
            continue
        first = statements(function.body)[0]
        start, line = file.span(first).line, file.span(function).line
        if line < start and not getattr(first, "decorators", ()):  # nothing may come between one and its definition
            lines = (f"{indent_of(file, first)}plugport_mutant.sleep(1)", file.line(start))
            text = edited(file, [Edit(start, start, lines)], top="import time as plugport_mutant")
            yield Mutant(file.relative, line, "sleeps on the event loop", text)
