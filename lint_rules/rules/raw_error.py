"""PP002 raw-error-in-response: nothing of an exception, a traceback or a failed process's output reaches a client."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import libcst as cst

from ..analysis.flow.facts import Facts
from ..analysis.flow.module import Module, is_error_class
from ..analysis.flow.places import Places
from ..analysis.flow.prescan import prescan_function
from ..analysis.flow.project import link
from ..analysis.flow.registrations import registrations_of
from ..analysis.flow.sink_table import SinkTable, table_of
from ..analysis.flow.statements import FunctionFlow
from ..analysis.flow.summaries import streams_of, summarise
from ..analysis.flow.values import LEAKS, Taint, of_kind
from ..analysis.syntax import Function, code, every_node, parameter_names, parameters, statements
from ..engine.contract import JSON, Example, SourceFile, TraceStep
from ..engine.lint_rule import LintRule
from ..engine.mutant import Edit, Mutant, edited

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


class RawErrorInResponse(LintRule):
    """The rule: it summarises every module, links what the project knows, and follows each function."""

    code = CODE
    message = message
    reason = reason

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._sanitizers = frozenset(config.get("sanitizers", []))
        self._table = table_of(config)
        self._known: list[_Known] = []

    def wants(self, data: bytes) -> bool:
        """Want files that could hold a source, a sink, or a path between them, and those that only hand on names."""
        if _DEFINES.search(data) is None and _IMPORTS.search(data) is not None:
            return True
        return _NEAR.search(data) is not None and _WANTED.search(data) is not None

    def summarise(self, file: SourceFile) -> JSON:
        """Return its functions, classes, raise sites and handlers."""
        return summarise(_module(file, self._table), file.relative, self._sanitizers, Places(file))

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """Return the facts of the whole project."""
        return link(
            {path: summary for path, summary in summaries.items() if summary is not None}, self._table
        ).to_json()

    def reads(self, file: SourceFile, linked: JSON) -> bool:
        """Read what can have a finding."""
        return file.relative not in self._project(linked).facts.clean_files

    def visit_Module(self, node: cst.Module) -> None:
        """Prepare to follow the module's functions."""
        self._project_facts = self._project(self.linked)
        self._module = _module(self.file, self._table)
        self._streams = streams_of(self._module)
        self._places = Places(self.file)
        self._leaks: list[tuple[cst.CSTNode, str, Taint]] = []
        self._functions = {id(function) for function in self._module.functions.values()}

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Follow a function of the module."""
        if id(node) in self._functions and self._meets_error(None, node):
            self._flow(None, {}).follow(node, {})

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        """Follow the methods of a class: what a method leaves on `self`, another may send."""
        methods = [item for item in statements(node.body) if isinstance(item, cst.FunctionDef)]
        if any(self._meets_error(node.name.value, method) for method in methods):
            attributes: dict[str, Taint] = {}
            for _ in range(2):
                for method in methods:
                    self._flow(node.name.value, attributes).follow(method, {})

    def leave_Module(self, original_node: cst.Module) -> None:
        """Follow the module's own statements, and report. What is sent twice on one line is one mistake."""
        rest = [item for item in self._module.statements if not isinstance(item, cst.FunctionDef | cst.ClassDef)]
        self._flow(None, {}).block(rest, {})
        lines: set[int] = set()
        for node, medium, leaks in self._leaks:
            if (line := self.file.span(node).line) not in lines:
                lines.add(line)
                self._report_leak(node, medium, leaks)

    def _report_leak(self, node: cst.CSTNode, medium: str, leaks: Taint) -> None:
        line, leak = min(
            ((self._places.line(leak.place), leak) for leak in leaks),
            key=lambda item: (item[1].kind, item[1].name, item[0], item[1].trace),
        )
        start = TraceStep(self.file.relative, line, "the error comes from here")
        text = (
            f"the text of an error reaches a client in {medium}: log it, and send a message that was written for the "
            "client"
        )
        self.report(node, text, trace=(start, *(TraceStep(*step) for step in leak.trace)))

    def _flow(self, owner: str | None, attributes: dict[str, Taint]) -> FunctionFlow:
        def report(node: cst.CSTNode, medium: str, carried: Taint) -> None:
            if leaks := of_kind(carried, *LEAKS):
                self._leaks.append((node, medium, leaks))

        return FunctionFlow(
            self._module,
            self._project_facts.facts,
            self._sanitizers,
            report,
            self._places,
            attributes=attributes,
            class_name=owner,
            streams=self._streams,
        )

    def _project(self, linked: JSON) -> _Known:
        """Read the facts once for all files of a run, which share `linked`."""
        if not self._known or self._known[0].linked is not linked:
            facts = Facts()
            facts.add_json(linked)
            with_error = frozenset(name for name, function in facts.functions.items() if function.error is not None)
            self._known[:] = [_Known(linked, facts, with_error)]
        return self._known[0]

    def _meets_error(self, owner: str | None, function: Function) -> bool:
        """Return whether the function can meet an error: its own, that of a function it calls, or a handed one."""
        module, project = self._module, self._project_facts
        scan = prescan_function(module, owner, function)
        qualified = ".".join(part for part in (module.name, owner, function.name.value) if part)
        return (
            scan.sources
            or not project.with_error.isdisjoint(scan.calls)
            or qualified in project.facts.handlers
            or (owner is not None and is_error_class(f"{module.name}.{owner}", project.facts.bases))
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """The facts that `linked` holds, and the functions whose result holds an error's text."""

    linked: JSON
    facts: Facts
    with_error: frozenset[str]


def _module(file: SourceFile, table: SinkTable) -> Module:
    name = file.module or PurePosixPath(file.relative).stem

    def read() -> Module:
        module = Module(file.tree(), name, file.relative.endswith("__init__.py"), table)
        module.registered = registrations_of(module)
        return module

    return file.derived(CODE, read)


def mutants(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Make each `except` in a handler answer with the error: directly, through a variable, through a helper."""
    for function in every_node(file.tree()):
        if not isinstance(function, cst.FunctionDef) or not _is_handler(function):
            continue
        for node in every_node(function):
            if isinstance(node, cst.ExceptHandler) and node.type is not None:
                yield from _mutants_of(file, node)


def _mutants_of(file: SourceFile, node: cst.ExceptHandler) -> Iterator[Mutant]:
    name = node.name.name.value if node.name is not None and isinstance(node.name.name, cst.Name) else ""
    start = file.span(node).line
    body = statements(node.body)
    first = file.span(body[0])
    clause = file.line(start)
    if first.line == start:
        return
    if not name:
        name, head = "plugport_error", clause.rstrip()
        if not head.endswith(":"):
            return
        clause = f"{head[:-1]} as {name}:"
    indent, end = file.line(first.line)[: first.column - 1], file.span(body[-1]).end_line
    for mistake, mutated in (
        ("answers with str(error)", (f"return plugport_mutant(str({name}))",)),
        (
            "answers with the error through a variable",
            (f"text = f'failed: {{{name}}}'", "return plugport_mutant(text)"),
        ),
        ("answers with the error through a helper", (f"return plugport_mutant(plugport_mutant_text({name}))",)),
    ):
        lines = (clause, *(indent + line for line in mutated))
        text = edited(file, [Edit(start, end, lines)], top=_RESPONSE, bottom=_HELPER)
        yield Mutant(file.relative, start, mistake, text)


def _is_handler(function: Function) -> bool:
    """Return whether the function answers requests: it takes one, or is annotated to return a response."""
    annotations = " ".join(
        code(parameter.annotation.annotation)
        for parameter in parameters(function)
        if parameter.annotation is not None
    )
    returns = code(function.returns.annotation) if function.returns is not None else ""
    is_generator = any(isinstance(node, cst.Yield) for node in every_node(function))
    return not is_generator and (
        "request" in parameter_names(function) or "Request" in annotations or "Response" in returns
    )
