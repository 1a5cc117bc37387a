"""PP004 blocking-call: a call that waits (for a server, a process, a clock) in an `async def`, without a thread."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..analysis.value_kinds import FUNCTION_NODES, Function, Names, own_nodes
from ..engine.contract import JSON, Example, Finding, SourceFile, Summaries, TraceStep
from ..tables.blocking_apis import BUILTINS, FUNCTIONS, KINDS, MAKERS

CODE = "PP004"
message = "a call that waits, in an `async def`, without a thread"
reason = """While docker-py, boto3, requests, a subprocess or time.sleep waits, the loop stands still: every other
request, every deadline and every health check waits with it. Run it in a thread (`await asyncio.to_thread(f, …)`, or
as a plain `def` hook, which plugport runs in one), or use what waits without blocking.

A function of the same module that the `async def` calls is followed. Reading and writing files is left alone: it
blocks for as long as the disk takes, which nobody notices."""

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
    """A place that waits: what is called, what to do instead, and the way there through helpers."""

    line: int
    what: str
    instead: str
    way: tuple[TraceStep, ...] = ()


class BlockingCall:
    """The rule. It looks at one file at a time."""

    def __init__(self, config: Mapping[str, JSON]) -> None:
        pass

    def wants(self, data: bytes) -> bool:
        """Files with an `async def` and a library that waits."""
        return b"async" in data and _WANTED.search(data) is not None

    def summarise(self, file: SourceFile) -> JSON:
        """Nothing: other modules are not followed."""
        return None

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """Nothing."""
        return None

    def check(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Iterable[Finding]:
        """Every `async def` of the file."""
        names = Names(file.ast())
        if not any(isinstance(function.node, ast.AsyncFunctionDef) for function in names.functions):
            return
        helpers = _Helpers(file.relative, names)
        for function in names.functions:
            if isinstance(function.node, ast.AsyncFunctionDef):
                for call in _calls(function.node):
                    wait = _direct(call, function, names) or helpers.through(call, function)
                    if wait is not None:
                        text = (
                            f"{wait.what} blocks the event loop in `async def {function.node.name}`: {wait.instead}"
                        )
                        yield Finding(CODE, file.relative, file.span(call), text, wait.way)


class _Helpers:
    """The module's own plain functions that wait, directly or through each other."""

    def __init__(self, path: str, names: Names) -> None:
        self._path = path
        self._names = names
        self._known: dict[ast.AST, _Wait | None] = {}

    def through(self, call: ast.Call, caller: Function) -> _Wait | None:
        """What the call of one of the module's functions waits for, if it does."""
        target = self._names.called(call, caller)
        if target is None or not _runs_in_place(target):
            return None
        wait = self._wait_of(target)
        if wait is None:
            return None
        step = TraceStep(self._path, wait.line, f"{wait.what} in `{target.node.name}`")
        return _Wait(call.lineno, f"{target.node.name}(), which calls {wait.what},", wait.instead, (step, *wait.way))

    def _wait_of(self, function: Function) -> _Wait | None:
        if function.node not in self._known:
            self._known[function.node] = None  # a function that calls itself adds nothing
            for call in _calls(function.node):
                wait = _direct(call, function, self._names) or self.through(call, function)
                if wait is not None:
                    self._known[function.node] = wait
                    break
        return self._known[function.node]


def _runs_in_place(function: Function) -> bool:
    """Whether a call runs the body here and now: no coroutine, no generator, and nothing that a decorator may have
    moved into a thread."""
    if isinstance(function.node, ast.AsyncFunctionDef):
        return False
    for decorator in function.node.decorator_list:
        named = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(named).rpartition(".")[2] not in _INERT:
            return False
    return not any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(function.node))


def _calls(node: FUNCTION_NODES) -> Iterator[ast.Call]:
    """The calls that the function itself makes, in order, without those that are awaited."""
    nodes = list(own_nodes(node))
    awaited = {id(node.value) for node in nodes if isinstance(node, ast.Await)}
    calls = [node for node in nodes if isinstance(node, ast.Call) and id(node) not in awaited]
    yield from sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _direct(call: ast.Call, function: Function, names: Names) -> _Wait | None:
    """The wait of the call itself."""
    qualified = names.qualified(call.func, function.scope)
    if qualified is not None:
        if qualified in FUNCTIONS:
            return _Wait(call.lineno, f"{qualified}()", f"use {FUNCTIONS[qualified]}, or a thread")
        return None
    if isinstance(call.func, ast.Name):
        if call.func.id in BUILTINS and names.is_builtin(call.func.id, function.scope):
            return _Wait(call.lineno, f"{call.func.id}()", f"use {BUILTINS[call.func.id]}")
        return None
    if isinstance(call.func, ast.Attribute):
        kind = names.kind(call.func.value, function)
        if kind is not None and KINDS[kind].blocks(call.func.attr):
            return _Wait(call.lineno, f"{call.func.attr}() of {kind}", "use await asyncio.to_thread(…)")
    return None


__all__ = ["CODE", "INVALID", "MAKERS", "VALID", "BlockingCall", "message", "reason"]
