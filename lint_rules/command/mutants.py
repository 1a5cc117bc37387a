"""What somebody might write against each built-in rule: the mistakes that `--prove` makes in memory."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from ..engine.contract import SourceFile
from ..engine.mutant import Edit, Mutant, edited, indent_of
from ..tables.guarded_apis import PRESETS

Mutate: TypeAlias = "Callable[[SourceFile, Mapping[str, Any]], Iterator[Mutant]]"
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)
_QUESTIONS = {
    "docker-inspect": "plugport_mutant.from_env().containers.get('name')",
    "docker-list": "plugport_mutant.from_env().containers.list(all=True)",
}
_RESPONSE = "from starlette.responses import PlainTextResponse as plugport_mutant"
_HELPER = "\n\ndef plugport_mutant_text(error):\n    return f'failed: {error}'"


def only_caller(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Each consumer of an allowed function asks the guarded API itself."""
    for guard in table.get("only-caller", ()):
        names = {place.partition("::")[2].rpartition(".")[2] for place in guard.get("allow", ())}
        top, question = _question(guard)
        for statement, call in _calls_of(file.ast(), names):
            held = file.line(statement.lineno)
            if statement.lineno != statement.end_lineno or any(f"def {name}" in held for name in names):
                continue
            before = held[: _column(held, call.col_offset)]
            after = held[_column(held, call.end_col_offset or 0) :]
            text = edited(file, [Edit(statement.lineno, statement.lineno, (before + question + after,))], top=top)
            yield Mutant(file.relative, statement.lineno, f"asks the guarded API itself: {question}", text)


def _question(guard: Mapping[str, Any]) -> tuple[str, str]:
    """An import and a call of what a table guards."""
    if guard.get("preset") in PRESETS:
        return "import docker as plugport_mutant", _QUESTIONS.get(str(guard["preset"]), _QUESTIONS["docker-inspect"])
    module, _, name = str(guard["calls"][0]).rpartition(".")
    return f"from {module} import {name} as plugport_mutant", "plugport_mutant()"


def _calls_of(tree: ast.Module, names: set[str]) -> Iterator[tuple[ast.stmt, ast.Call]]:
    for statement in ast.walk(tree):
        if isinstance(statement, ast.stmt) and not isinstance(statement, (*_Function, ast.ClassDef)):
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and node.lineno == node.end_lineno == statement.lineno:
                    func = node.func
                    name = (
                        func.attr
                        if isinstance(func, ast.Attribute)
                        else func.id
                        if isinstance(func, ast.Name)
                        else ""
                    )
                    if name in names:
                        yield statement, node


def _column(line: str, offset: int) -> int:
    return len(line.encode()[:offset].decode("utf-8", "ignore"))


def raw_error(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Each `except` in a handler answers with the error: directly, through a variable, through a helper."""
    for function in ast.walk(file.ast()):
        if not isinstance(function, _Function) or not _is_handler(function):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.ExceptHandler) and node.type is not None and node.lineno < node.body[0].lineno:
                yield from _answers(file, node)


def _answers(file: SourceFile, node: ast.ExceptHandler) -> Iterator[Mutant]:
    name = node.name or "plugport_error"
    inner = indent_of(file, node.body[0])
    clause = file.line(node.lineno)
    if node.name is None:
        head = clause.rstrip()
        if not head.endswith(":"):
            return
        clause = f"{head[:-1]} as {name}:"
    start, end = node.lineno, node.body[-1].end_lineno or node.body[-1].lineno
    for what, body in (
        ("answers with str(error)", (f"return plugport_mutant(str({name}))",)),
        (
            "answers with the error through a variable",
            (f"text = f'failed: {{{name}}}'", "return plugport_mutant(text)"),
        ),
        ("answers with the error through a helper", (f"return plugport_mutant(plugport_mutant_text({name}))",)),
    ):
        lines = (clause, *(inner + line for line in body))
        text = edited(file, [Edit(start, end, lines)], top=_RESPONSE, bottom=_HELPER)
        yield Mutant(file.relative, node.lineno, what, text)


def _is_handler(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the function answers requests: it is given one, or says that it returns a response."""
    names = {one.arg for one in (*function.args.posonlyargs, *function.args.args)}
    annotations = " ".join(ast.unparse(one.annotation) for one in function.args.args if one.annotation is not None)
    returns = ast.unparse(function.returns) if function.returns is not None else ""
    is_generator = any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(function))
    return not is_generator and ("request" in names or "Request" in annotations or "Response" in returns)


def hook_mismatch(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Each hook implementation takes an argument that its specification does not have."""
    for function in ast.walk(file.ast()):
        if isinstance(function, _Function) and any(map(_is_marker, function.decorator_list)):
            line = file.line(function.lineno)
            if "(" in line and function.args.vararg is None and function.args.kwarg is None:
                first = "self, " if function.args.args[:1] and function.args.args[0].arg == "self" else ""
                head, _, rest = line.partition("(")
                changed = f"{head}({first}plugport_mutant, {rest.removeprefix('self').removeprefix(',').lstrip()}"
                text = edited(file, [Edit(function.lineno, function.lineno, (changed,))])
                yield Mutant(file.relative, function.lineno, "takes an argument that no hook has", text)


def _is_marker(decorator: ast.expr) -> bool:
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(named).rpartition(".")[2] == "hookimpl"


def blocking_call(file: SourceFile, table: Mapping[str, Any]) -> Iterator[Mutant]:
    """Each `async def` sleeps on the loop."""
    for function in ast.walk(file.ast()):
        if isinstance(function, ast.AsyncFunctionDef) and function.lineno < function.body[0].lineno:
            first = function.body[0]
            lines = (f"{indent_of(file, first)}plugport_mutant.sleep(1)", file.line(first.lineno))
            if file.line(first.lineno).strip().startswith("@"):
                continue
            text = edited(file, [Edit(first.lineno, first.lineno, lines)], top="import time as plugport_mutant")
            yield Mutant(file.relative, function.lineno, "sleeps on the event loop", text)


MUTATORS: Mapping[str, Mutate] = {
    "PP001": only_caller,
    "PP002": raw_error,
    "PP003": hook_mismatch,
    "PP004": blocking_call,
}
