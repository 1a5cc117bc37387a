"""PP004 blocking-call: a call that waits (for a server, a process, a clock) in an `async def`, without a thread."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import libcst as cst

from ..analysis.fixes.threads import in_thread
from ..analysis.instance_kinds import InstanceKinds
from ..analysis.project_waits import ProjectWaits, Wait
from ..analysis.syntax import every_node, is_async, statements
from ..analysis.test_files import is_test_file
from ..analysis.waiting_glance import ROOTS, SMALL, Glance
from ..analysis.waits import Waits
from ..engine.ancestors import ancestors
from ..engine.contract import JSON, Example, Fix, SourceFile, Summaries
from ..engine.imports import package_of
from ..engine.lint_rule import LintRule
from ..engine.mutant import Edit, Mutant, edited, indent_of
from ..tables.blocking_apis import KINDS, MAKERS

CODE = "PP004"
message = "a call that waits, in an `async def`, without a thread"
reason = """While docker-py, boto3, requests, a subprocess or time.sleep waits, the event loop does nothing else:
every other request, every deadline and every health check waits with it. Run the call in a thread (`await
asyncio.to_thread(f, …)`, or a plain `def` hook, which plugport runs in one), or use a library that does not block.

The rule follows the plain functions, methods and properties that the `async def` uses, in this module and in the
project's others, also those with a decorator that does not move them. Reading and writing small files is not
reported, since it blocks for a short time only: a file that is read piece by piece is, and one that is copied. Tests
(`test_*.py`, `conftest.py`, `tests/`) are left out, since the event loop of a test serves nobody else."""
how_to_fix = """Run the call in a thread: `await asyncio.to_thread(f, …)`, which `--fix --unsafe` writes, with the
import. Or use a library that does not block: httpx.AsyncClient, aiodocker, aioboto3,
`asyncio.create_subprocess_exec`."""
when_to_suppress = """The loop has nothing else to do: the start of a program before it serves, a script with one
task."""

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

_LIBRARIES = b"|".join(re.escape(root.encode()) for root in sorted(ROOTS))
_IMPORTS = re.compile(rb"^[ \t]*(?:import|from)[ \t][^\n]*\b(?:" + _LIBRARIES + rb")\b", re.MULTILINE)
_BUILTIN = re.compile(rb"\b(?:input|open)\(")


class BlockingCall(LintRule):
    """The rule: it summarises what the plain functions of each module wait for, and reports what an `async def`
    calls."""

    code = CODE
    message = message
    reason = reason
    VALID = VALID
    INVALID = INVALID

    def wants(self, data: bytes) -> bool:
        """Want files with functions that can wait, or call some that do."""
        if b"def " not in data and b"import" not in data:
            return False
        return b"async def" in data or len(data) < SMALL or _names_library(data)

    def summarise(self, file: SourceFile) -> JSON:
        """Return what the module's plain functions wait for; None for a test, which only tests import."""
        if file.module is None or is_test_file(file.relative) or not Glance.of(file).may_be_called:
            return None
        names = InstanceKinds(file.tree(), KINDS, MAKERS, {}, package_of(file))
        return Waits(file, names, None).summary()

    def reads(self, file: SourceFile, linked: JSON, summaries: Summaries) -> bool:
        """Read a file if a coroutine of it calls anything that may wait. The loop of a test serves nobody else."""
        return not is_test_file(file.relative) and Glance.of(file).may_block(summaries)

    def visit_Module(self, node: cst.Module) -> bool:
        """Learn of which kind the values of the module are; leave out a test."""
        if is_test_file(self.file.relative):
            return False
        project = ProjectWaits(self.summaries)
        package = package_of(self.file)
        self._names = InstanceKinds(node, project.kinds, project.makers, project.values, package)
        self._waits = Waits(self.file, self._names, project)
        return True

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Report everything that waits in an `async def`."""
        if is_async(node):
            function = self._names.function_at[node]
            for place, wait in self._waits.in_function(function):
                what = f"{wait.helper or wait.call} blocks the event loop in `async def {function.name}`"
                text = f"{what}{f', by {wait.call}' if wait.helper else ''}: {wait.instead}"
                self.report(place, text, trace=wait.trace, fix=self._fix(place, wait))

    def _fix(self, place: cst.Call | cst.Attribute, wait: Wait) -> Fix | None:
        """Return the fix by a thread. There is none for a property, for a context manager, whose body runs where it
        is entered, and for sqlite3, whose connections stay in one thread."""
        if not isinstance(place, cst.Call) or "sqlite3" in wait.call:
            return None
        is_entered = isinstance(next(iter(ancestors(self.file, place)), None), cst.WithItem)
        return None if is_entered and wait.helper else in_thread(self.file, place)


def _names_library(data: bytes) -> bool:
    return _IMPORTS.search(data) is not None or _BUILTIN.search(data) is not None


def mutants(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Make each `async def` sleep on the event loop."""
    for function in () if is_test_file(file.relative) else every_node(file.tree()):
        if not isinstance(function, cst.FunctionDef) or not is_async(function):
            continue
        first = statements(function.body)[0]
        start, line = file.span(first).line, file.span(function).line
        if line < start and not getattr(first, "decorators", ()):  # nothing may come between one and its definition
            lines = (f"{indent_of(file, first)}plugport_mutant.sleep(1)", file.line(start))
            text = edited(file, [Edit(start, start, lines)], top="import time as plugport_mutant")
            yield Mutant(file.relative, line, "sleeps on the event loop", text)
