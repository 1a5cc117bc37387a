"""PP002 raw-error-in-response: nothing of an exception, a traceback or a failed process's output reaches a client."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import libcst as cst

from ..analysis.fixes.messages import fixed_message, fixed_message_at
from ..analysis.flow.context import Context
from ..analysis.flow.facts import Facts
from ..analysis.flow.handlers import Handler, handlers_of, may_have_handlers
from ..analysis.flow.heap import Heap
from ..analysis.flow.module import Module
from ..analysis.flow.places import Places
from ..analysis.flow.project import link
from ..analysis.flow.registrations import registrations_of
from ..analysis.flow.sink_table import SinkTable, table_of
from ..analysis.flow.statements import FunctionFlow
from ..analysis.flow.summaries import follow_bodies, streams_of, summarise
from ..analysis.flow.values import EXCEPTION, FIELD, LONGEST_TRACE, SENT, STORE, TEXT, Origin, Taint, of_kind
from ..analysis.syntax import every_node, own_nodes, statements
from ..analysis.test_files import is_test_file
from ..engine.contract import JSON, Example, Fix, SourceFile, Summaries, TraceStep
from ..engine.lint_rule import LintRule
from ..engine.mutant import Edit, Mutant, edited, indent_of
from ..tables.errors import AUTHORED_RESULTS

CODE = "PP002"
message = "Nothing of an exception, a traceback or a failed process's output may reach a client."
reason = """An error's text is written for the people who run the service: it holds paths, tokens, queries and the
answers of other services. Log it with the request's id, and send a message that was written for the client; or name
the function that makes such a message under `sanitizers`."""
how_to_fix = """Log the error, and send a message that was written for the client, with a status that says what it
can do. Where the text is made beside the `except` clause, `--fix --unsafe` writes both. A function that makes an
error fit for a client belongs under `sanitizers`."""
when_to_suppress = """A service for its own operators, whose readers may see everything. Say who they are in the
reason."""

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

_CODE = re.compile(rb"^[ \t]*(?:async +def|def|class|from|import) |\blambda\b", re.MULTILINE)
_RESPONSE = "from starlette.responses import PlainTextResponse as plugport_mutant"
_HELPER = "\n\ndef plugport_mutant_text(error):\n    return f'failed: {error}'"


class RawErrorInResponse(LintRule):
    """The rule: it summarises every module, links what the project knows, and follows each function."""

    code = CODE
    message = message
    reason = reason

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._sanitizers = frozenset(config.get("sanitizers", [])) | AUTHORED_RESULTS
        self._table = table_of(config)
        self._known: list[_Known] = []

    def wants(self, data: bytes) -> bool:
        """Want files that define or hand on something: each may hold a part of an error's way."""
        return _CODE.search(data) is not None

    def summarise(self, file: SourceFile) -> JSON:
        """Return its functions, classes, raise sites and handlers; None for a test."""
        if is_test_file(file.relative):
            return None
        module = _module(file, self._table)
        return summarise(module, file.relative, self._sanitizers, Places(file, module))

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """Return the facts of the whole project."""
        known = {path: summary for path, summary in summaries.items() if summary is not None}
        return link(known, self._table).to_json()

    def reads(self, file: SourceFile, linked: JSON, summaries: Summaries) -> bool:
        """Read what can have a finding."""
        return not is_test_file(file.relative) and file.relative not in self._project(linked).facts.clean_files

    def visit_Module(self, node: cst.Module) -> bool:
        """Prepare to follow the module's functions; a test's reach no client."""
        self._leaks: list[tuple[cst.CSTNode, str, Taint]] = []
        if is_test_file(self.file.relative):
            return False
        project = self._project(self.linked)
        self._module = _module(self.file, self._table)
        self._heap = project.heap
        self._places = Places(self.file, self._module)
        self._functions = {id(function) for function in self._module.functions.values()}
        self._context = Context(
            self._module,
            project.facts,
            project.heap,
            self._sanitizers,
            self._note,
            self._places,
            streams_of(self._module),
        )
        return True

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Follow a function of the module."""
        if id(node) in self._functions:
            FunctionFlow(self._context).follow(node, {})

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        """Follow the methods of a class."""
        for method in statements(node.body):
            if isinstance(method, cst.FunctionDef):
                FunctionFlow(self._context, node.name.value).follow(method, {})

    def leave_Module(self, original_node: cst.Module) -> None:
        """Follow the module's own statements, and report. What is sent twice on one line is one mistake."""
        if not is_test_file(self.file.relative):
            follow_bodies(self._context)
        lines: set[int] = set()
        for node, medium, leaks in self._leaks:
            if (line := self.file.span(node).line) not in lines:
                lines.add(line)
                self._report_leak(node, medium, leaks)

    def _note(self, node: cst.CSTNode, medium: str, carried: Taint) -> None:
        """Note a node that sends something raw."""
        leaks = frozenset(leak for origin in of_kind(carried, *SENT) if (leak := self._raw(origin)) is not None)
        if leaks:
            self._leaks.append((node, medium, leaks))

    def _raw(self, origin: Origin) -> Origin | None:
        """Return an origin with its trace if it is raw; None if it is not."""
        if origin.kind == EXCEPTION and origin.name:
            steps = self._heap.raw_steps(FIELD, f"{origin.name}#{TEXT}")
        elif origin.kind not in {FIELD, STORE}:
            return origin
        else:
            steps = self._heap.raw_steps(origin.kind, origin.name)
        return None if steps is None else replace(origin, trace=(*origin.trace, *steps)[:LONGEST_TRACE])

    def _report_leak(self, node: cst.CSTNode, medium: str, leaks: Taint) -> None:
        line, leak = min(
            ((self._places.line(leak.place or self._places.number(node)), leak) for leak in leaks),
            key=lambda item: (item[1].kind, item[1].name, item[0], item[1].trace),
        )
        start = TraceStep(self.file.relative, line, "the error comes from here")
        text = (
            f"the text of an error reaches a client in {medium}: log it, and send a message that was written for the "
            "client"
        )
        trace = (start, *(TraceStep(*step) for step in leak.trace))
        self.report(node, text, trace=trace, fix=fixed_message(self.file, node))

    @classmethod
    def fix_at(cls, file: SourceFile, line: int) -> Fix | None:
        """Fix a helper where it puts an error's text into its result."""
        return fixed_message_at(file, line)

    def _project(self, linked: JSON) -> _Known:
        """Read the facts once for all files of a run, which share `linked`."""
        if not self._known or self._known[0].linked is not linked:
            facts = Facts()
            facts.add_json(linked)
            self._known[:] = [_Known(linked, facts, Heap(facts))]
        return self._known[0]


@dataclass(frozen=True, slots=True)
class _Known:
    """The facts that `linked` holds."""

    linked: JSON
    facts: Facts
    heap: Heap


def _module(file: SourceFile, table: SinkTable) -> Module:
    name = file.module or PurePosixPath(file.relative).stem

    def read() -> Module:
        module = Module(file.tree(), name, file.relative.endswith("__init__.py"), table)
        module.registered = registrations_of(module)
        return module

    return file.derived(CODE, read)


def mutants(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Make each handler answer with an error: in each of its `except` clauses, in a new one if it has none, with the
    exception that it is handed, and by what it returns if that is sent as it is."""
    sinks = table_of(table)
    if is_test_file(file.relative) or not may_have_handlers(file.data, sinks):
        return
    for handler in handlers_of(file.tree(), _module(file, sinks)):
        clauses = [node for node in every_node(handler.function.body) if isinstance(node, cst.ExceptHandler)]
        made = [_in_clause(file, handler, clause) for clause in clauses]
        if not any(made):
            made = [_at_the_start(file, handler)]
        for group in made:
            yield from group
        if handler.error:
            yield from _with_parameter(file, handler)


def _answers(handler: Handler, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    is_generator = any(isinstance(node, cst.Yield) for node in own_nodes([handler.function.body]))
    send = "" if is_generator else "return "
    yield "answers with str(error)", (f"{send}plugport_mutant(str({name}))",)
    yield (
        "answers with the error through a variable",
        (f"text = f'failed: {{{name}}}'", f"{send}plugport_mutant(text)"),
    )
    yield (
        "answers with the error through a helper",
        (f"{send}plugport_mutant(plugport_mutant_text({name}))",),
    )
    if handler.returns and not is_generator:
        yield "returns the error as its result", (f"return {{'error': str({name})}}",)


def _in_clause(file: SourceFile, handler: Handler, clause: cst.ExceptHandler) -> list[Mutant]:
    """Let a clause catch everything (what it catches may have a text for clients), and replace its body, unless that
    stands on the line of its head."""
    start, body = file.span(clause).line, statements(clause.body)
    first = file.span(body[0])
    if first.line == start:
        return []
    name = clause.name.name.value if clause.name is not None and isinstance(clause.name.name, cst.Name) else ""
    name = name or "plugport_error"
    head = f"{indent_of(file, clause)}except Exception as {name}:"
    indent, end = file.line(first.line)[: first.column - 1], file.span(body[-1]).end_line
    return [
        _mutant(file, Edit(start, end, (head, *(indent + line for line in lines))), start, mistake)
        for mistake, lines in _answers(handler, name)
    ]


def _at_the_start(file: SourceFile, handler: Handler) -> list[Mutant]:
    """Put a `try` with such a clause before the handler's first statement, unless that shares its line."""
    place = _first_line(file, handler)
    if place is None:
        return []
    line, indent = place
    attempt = ("try:", "    plugport_mutant_work()", "except Exception as plugport_error:")
    return [
        _mutant(file, _inserted(file, line, indent, (*attempt, *(f"    {each}" for each in lines))), line, mistake)
        for mistake, lines in _answers(handler, "plugport_error")
    ]


def _with_parameter(file: SourceFile, handler: Handler) -> Iterator[Mutant]:
    place = _first_line(file, handler)
    if place is not None:
        line, indent = place
        lines = (f"return plugport_mutant(str({handler.error}))",)
        yield _mutant(
            file, _inserted(file, line, indent, lines), line, "answers with the exception that it is handed"
        )


def _first_line(file: SourceFile, handler: Handler) -> tuple[int, str] | None:
    """Return the line and the indent of the handler's first statement behind its docstring."""
    body = statements(handler.function.body)
    if len(body) > 1 and isinstance(body[0], cst.Expr) and isinstance(body[0].value, cst.SimpleString):
        body = body[1:]
    decorators = getattr(body[0], "decorators", ())
    span = file.span(decorators[0] if decorators else body[0])
    indent = file.line(span.line)[: span.column - 1]
    return (span.line, indent) if not indent.strip() else None


def _inserted(file: SourceFile, line: int, indent: str, lines: tuple[str, ...]) -> Edit:
    return Edit(line, line, (*(indent + each for each in lines), file.line(line)))


def _mutant(file: SourceFile, edit: Edit, line: int, mistake: str) -> Mutant:
    return Mutant(file.relative, line, mistake, edited(file, [edit], top=_RESPONSE, bottom=_HELPER))
