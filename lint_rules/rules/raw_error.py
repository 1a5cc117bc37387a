"""PP002 raw-error-in-response: nothing of an exception, a traceback or a failed process's output reaches a client."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import PurePosixPath

from ..analysis.flow.facts import Facts
from ..analysis.flow.module import FunctionNode, Module, is_error_class
from ..analysis.flow.prescan import of_function
from ..analysis.flow.statements import FunctionFlow
from ..analysis.flow.summaries import link, streams_of, summarise
from ..analysis.flow.values import LEAKS, Taint, only
from ..engine.contract import JSON, Example, Finding, SourceFile, Summaries, TraceStep
from ..engine.errors import ConfigurationError

CODE = "PP002"
message = "Nothing of an exception, a traceback or a failed process's output may reach a client."
reason = """An error's text is written for whoever runs the service: it holds paths, tokens, queries, other people's
answers. Log it with the request's id, and send a message that was written for the client; or name the function that
makes such a message under `sanitizers`."""

_APP = "from starlette.responses import JSONResponse\n\n\n"
INVALID = (
    Example(
        _APP + "async def show(request):\n    try:\n        work()\n    except Exception as e:\n"
        "        return JSONResponse({'error': str(e)}, status_code=500)\n",
        lines=(8,),
    ),
    Example(
        _APP + "def body(error):\n    return {'error': f'failed: {error}'}\n\n\nasync def show(request):\n    try:\n"
        "        work()\n    except OSError as error:\n        return JSONResponse(body(error))\n",
        lines=(12,),
    ),
    Example(
        "from fastapi import APIRouter, HTTPException\n\nrouter = APIRouter()\n\n\n@router.get('/')\n"
        "async def show():\n    try:\n        return work()\n    except ValueError as e:\n"
        "        raise HTTPException(400, detail=repr(e)) from e\n",
        lines=(11,),
    ),
    Example(
        "import traceback\n\n" + _APP + "async def failed(request, exc):\n"
        "    return JSONResponse({'trace': traceback.format_exc()})\n",
        lines=(7,),
    ),
)
VALID = (
    Example(
        "import logging\n\n"
        + _APP
        + "async def show(request):\n    try:\n        work()\n    except Exception as e:\n"
        "        logging.exception('failed: %s', e)\n"
        "        return JSONResponse({'error': 'it failed'}, status_code=500)\n"
    ),
    Example(
        _APP + "async def show(request):\n    try:\n        work()\n    except OSError as e:\n"
        "        return JSONResponse({'retry': e.errno == 11}, status_code=503)\n"
    ),
    Example(
        "from app.errors import public_message\n" + _APP + "async def show(request):\n    try:\n        work()\n"
        "    except Exception as e:\n        return JSONResponse({'error': public_message(e)})\n",
        config={"sanitizers": ["app.errors.public_message"]},
    ),
)

_WANTED = re.compile(
    rb"\bexcept\b|return_exceptions|\.exception\(\)|format_exc|exc_info|exception_handler|stderr|\bclass\b|\bdef\b"
)
_NEAR = re.compile(
    rb"starlette|fastapi|Response|HTTPException|send_text|send_json|websocket|traceback|except|stderr|exception|Exception"
    rb"|\bstr\(|\brepr\(|\.args\b|\{(?:e|ex|exc|err|error|exception)\b"
    rb"|\bclass \w+\([^)]*(?:Error|Exit|Fault|Failure|Problem|Warning)\b"
)

_DEFINES = re.compile(rb"^ *(?:async +def|def|class) ", re.MULTILINE)
_IMPORTS = re.compile(rb"^from [\w.]+ import", re.MULTILINE)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class RawErrorInResponse:
    """The rule: it summarises every module, links what the project knows, and follows each function."""

    def __init__(self, config: Mapping[str, JSON]) -> None:
        given = config.get("sanitizers", [])
        if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
            raise ConfigurationError("sanitizers", "is a list of qualified names")
        self._sanitizers = frozenset(str(one) for one in given)
        self._facts: tuple[JSON, Facts] | None = None
        self._giving: frozenset[str] = frozenset()

    def wants(self, data: bytes) -> bool:
        """Files that could hold a source, a sink, or a way between them, and those that only hand on names."""
        if _DEFINES.search(data) is None and _IMPORTS.search(data) is not None:
            return True
        return _NEAR.search(data) is not None and _WANTED.search(data) is not None

    def summarise(self, file: SourceFile) -> JSON:
        """Its functions, classes, raise sites and handlers."""
        return summarise(_module(file), file.relative, self._sanitizers)

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """The whole project's."""
        return link({path: told for path, told in summaries.items() if told is not None}).to_json()

    def check(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Iterable[Finding]:
        """Every function of the file."""
        facts = self._facts_of(linked)
        if file.relative in facts.quiet:
            return
        module = _module(file)
        found: dict[int, Finding] = {}  # by line: what is sent twice in one is one mistake

        def report(node: ast.AST, what: str, carried: Taint) -> None:
            leaks = sorted(only(carried, *LEAKS))
            if leaks:
                found.setdefault(getattr(node, "lineno", 1), _finding(file, node, what, leaks[0].line, leaks[0].way))

        streams = streams_of(module)

        def follow(owner: str | None, attributes: dict[str, Taint]) -> FunctionFlow:
            return FunctionFlow(
                module, facts, self._sanitizers, report, attributes=attributes, class_name=owner, streams=streams
            )

        meets = partial(_meets, module, facts, self._giving)
        for function in module.functions.values():
            if meets(None, function):
                follow(None, {}).run(function, {})
        for name, methods in ((one.name, one.methods.values()) for one in module.classes.values()):
            if not any(meets(name, method) for method in methods):
                continue
            attributes: dict[str, Taint] = {}
            for _ in range(2):  # what one method leaves on `self`, another may send
                for method in methods:
                    follow(name, attributes).run(method, {})
        follow(None, {}).block([one for one in module.tree.body if not isinstance(one, _DEFINITIONS)], {})
        yield from found.values()

    def _facts_of(self, linked: JSON) -> Facts:
        """Read once for all files of a run, which share `linked`."""
        if self._facts is None or self._facts[0] is not linked:
            facts = Facts()
            facts.add_json(linked)
            self._facts = (linked, facts)
            self._giving = frozenset(name for name, one in facts.functions.items() if one.error is not None)
        return self._facts[1]


def _meets(module: Module, facts: Facts, giving: frozenset[str], owner: str | None, function: FunctionNode) -> bool:
    """Whether the function can meet an error: by itself, from one that it calls, or since it is handed one."""
    seen = of_function(module, owner, function)
    qualified = ".".join(one for one in (module.name, owner, function.name) if one)
    return (
        seen.sources
        or not giving.isdisjoint(seen.calls)
        or qualified in facts.handlers
        or (owner is not None and is_error_class(f"{module.name}.{owner}", facts.bases))
    )


def _finding(file: SourceFile, node: ast.AST, what: str, line: int, way: tuple[tuple[str, int, str], ...]) -> Finding:
    start = TraceStep(file.relative, line, "the error comes from here")
    steps = [TraceStep(path, number, text) for path, number, text in way]
    text = (
        f"the text of an error reaches a client in {what}: log it, and send a message that was written for the client"
    )
    return Finding(CODE, file.relative, file.span(node), text, (start, *steps))


def _module(file: SourceFile) -> Module:
    name = file.module or PurePosixPath(file.relative).stem
    return file.derived(CODE, lambda: Module(file.ast(), name, file.relative.endswith("__init__.py")))


__all__ = ["CODE", "INVALID", "VALID", "RawErrorInResponse", "message", "reason"]
