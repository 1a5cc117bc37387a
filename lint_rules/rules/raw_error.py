"""PP002 raw-error-in-response: nothing of an exception, a traceback or a failed process's output reaches a client."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from ..analysis.flow.facts import Facts
from ..analysis.flow.module import Module, is_error_class
from ..analysis.flow.prescan import prescan_function
from ..analysis.flow.project import link
from ..analysis.flow.statements import FunctionFlow
from ..analysis.flow.summaries import streams_of, summarise
from ..analysis.flow.values import LEAKS, Origin, Taint, of_kind
from ..analysis.nodes import FUNCTIONS, FunctionNode, parameters
from ..engine.contract import JSON, Example, Finding, Rule, SourceFile, Summaries, TraceStep
from ..engine.mutant import Edit, Mutant, edited, indent_of

CODE = "PP002"
message = "Nothing of an exception, a traceback or a failed process's output may reach a client."
reason = """An error's text is written for the people who run the service: it holds paths, tokens, queries and the
answers of other services. Log it with the request's id, and send a message that was written for the client; or name
the function that makes such a message under `sanitizers`."""

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
_RESPONSE = "from starlette.responses import PlainTextResponse as plugport_mutant"
_HELPER = "\n\ndef plugport_mutant_text(error):\n    return f'failed: {error}'"


class RawErrorInResponse(Rule):
    """The rule: it summarises every module, links what the project knows, and follows each function."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._sanitizers = frozenset(config.get("sanitizers", []))
        self._facts: tuple[JSON, Facts] | None = None
        self._with_error: frozenset[str] = frozenset()

    def wants(self, data: bytes) -> bool:
        """Want files that could hold a source, a sink, or a path between them, and those that only hand on names."""
        if _DEFINES.search(data) is None and _IMPORTS.search(data) is not None:
            return True
        return _NEAR.search(data) is not None and _WANTED.search(data) is not None

    def summarise(self, file: SourceFile) -> JSON:
        """Return its functions, classes, raise sites and handlers."""
        return summarise(_module(file), file.relative, self._sanitizers)

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """Return the facts of the whole project."""
        return link({path: summary for path, summary in summaries.items() if summary is not None}).to_json()

    def check(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Iterable[Finding]:
        """Report what each function of the file sends."""
        facts = self._facts_of(linked)
        if file.relative in facts.clean_files:
            return
        module = _module(file)
        findings: dict[int, Finding] = {}  # by line: what is sent twice on one line is one mistake

        def report(node: ast.AST, medium: str, carried: Taint) -> None:
            leaks = sorted(of_kind(carried, *LEAKS))
            if leaks:
                findings.setdefault(getattr(node, "lineno", 1), _finding(file, node, medium, leaks[0]))

        streams = streams_of(module)

        def flow(owner: str | None, attributes: dict[str, Taint]) -> FunctionFlow:
            return FunctionFlow(
                module, facts, self._sanitizers, report, attributes=attributes, class_name=owner, streams=streams
            )

        for function in module.functions.values():
            if self._meets_error(module, facts, None, function):
                flow(None, {}).follow(function, {})
        for owner in module.classes.values():
            methods = owner.methods.values()
            if not any(self._meets_error(module, facts, owner.name, method) for method in methods):
                continue
            attributes: dict[str, Taint] = {}
            for _ in range(2):  # what one method leaves on `self`, another may send
                for method in methods:
                    flow(owner.name, attributes).follow(method, {})
        statements = [node for node in module.tree.body if not isinstance(node, (*FUNCTIONS, ast.ClassDef))]
        flow(None, {}).block(statements, {})
        yield from findings.values()

    def _facts_of(self, linked: JSON) -> Facts:
        """Read the facts once for all files of a run, which share `linked`."""
        if self._facts is None or self._facts[0] is not linked:
            facts = Facts()
            facts.add_json(linked)
            self._facts = (linked, facts)
            self._with_error = frozenset(
                name for name, function in facts.functions.items() if function.error is not None
            )
        return self._facts[1]

    def _meets_error(self, module: Module, facts: Facts, owner: str | None, function: FunctionNode) -> bool:
        """Return whether the function can meet an error: its own, that of a function it calls, or a handed one."""
        scan = prescan_function(module, owner, function)
        qualified = ".".join(part for part in (module.name, owner, function.name) if part)
        return (
            scan.sources
            or not self._with_error.isdisjoint(scan.calls)
            or qualified in facts.handlers
            or (owner is not None and is_error_class(f"{module.name}.{owner}", facts.bases))
        )


def _finding(file: SourceFile, node: ast.AST, medium: str, leak: Origin) -> Finding:
    start = TraceStep(file.relative, leak.line, "the error comes from here")
    text = (
        f"the text of an error reaches a client in {medium}: log it, and send a message that was written for the "
        "client"
    )
    return Finding(CODE, file.relative, file.span(node), text, (start, *(TraceStep(*step) for step in leak.trace)))


def _module(file: SourceFile) -> Module:
    name = file.module or PurePosixPath(file.relative).stem
    return file.derived(CODE, lambda: Module(file.ast(), name, file.relative.endswith("__init__.py")))


def mutants(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Make each `except` in a handler answer with the error: directly, through a variable, through a helper."""
    for function in ast.walk(file.ast()):
        if not isinstance(function, FUNCTIONS) or not _is_handler(function):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.ExceptHandler) and node.type is not None and node.lineno < node.body[0].lineno:
                yield from _mutants_of(file, node)


def _mutants_of(file: SourceFile, node: ast.ExceptHandler) -> Iterator[Mutant]:
    name = node.name or "plugport_error"
    indent = indent_of(file, node.body[0])
    clause = file.line(node.lineno)
    if node.name is None:
        head = clause.rstrip()
        if not head.endswith(":"):
            return
        clause = f"{head[:-1]} as {name}:"
    start, end = node.lineno, node.body[-1].end_lineno or node.body[-1].lineno
    for mistake, body in (
        ("answers with str(error)", (f"return plugport_mutant(str({name}))",)),
        (
            "answers with the error through a variable",
            (f"text = f'failed: {{{name}}}'", "return plugport_mutant(text)"),
        ),
        ("answers with the error through a helper", (f"return plugport_mutant(plugport_mutant_text({name}))",)),
    ):
        lines = (clause, *(indent + line for line in body))
        text = edited(file, [Edit(start, end, lines)], top=_RESPONSE, bottom=_HELPER)
        yield Mutant(file.relative, node.lineno, mistake, text)


def _is_handler(function: FunctionNode) -> bool:
    """Return whether the function answers requests: it takes one, or is annotated to return a response."""
    annotations = " ".join(
        ast.unparse(argument.annotation) for argument in function.args.args if argument.annotation is not None
    )
    returns = ast.unparse(function.returns) if function.returns is not None else ""
    is_generator = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))
    return not is_generator and (
        "request" in parameters(function) or "Request" in annotations or "Response" in returns
    )
