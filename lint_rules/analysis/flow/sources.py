"""Where an error comes from: calls that give one, and functions that are handed one."""

from __future__ import annotations

import ast
from typing import Final

from .module import FunctionNode, parameters
from .sinks import handled_by_decorator
from .values import ERROR, EXCEPTION, MAYBE, PROCESS, Origin, Taint

_TRACEBACK: Final = frozenset(
    {"format_exc", "format_exception", "format_exception_only", "format_tb", "format_stack", "extract_tb",
     "TracebackException", "StackSummary", "walk_tb"}
)  # fmt: skip
_CURRENT: Final = frozenset({"sys.exc_info", "sys.exception", "sys.last_value"})
_PROCESSES: Final = frozenset(
    {"subprocess.run", "subprocess.Popen", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell",
     "anyio.run_process", "trio.run_process"}
)  # fmt: skip
_HANDED: Final = (
    ["request", "exc"],
    ["request", "error"],
    ["req", "exc"],
    ["_", "exc"],
    ["websocket", "exc"],
)


def source_of(call: ast.Call, qualified: str | None) -> Taint | None:
    """What a call gives that was an error from the start; None where nothing."""
    last = (
        qualified.rpartition(".")[2] if qualified else call.func.attr if isinstance(call.func, ast.Attribute) else ""
    )
    if qualified in _CURRENT:
        return frozenset({Origin(EXCEPTION, "", call.lineno)})
    if last in _TRACEBACK and (qualified or "").startswith(("traceback.", last)):
        return frozenset({Origin(ERROR, f"{last}()", call.lineno)})
    if isinstance(call.func, ast.Attribute) and last == "exception" and not call.args and not call.keywords:
        return frozenset({Origin(EXCEPTION, "", call.lineno)})
    if last == "gather" and any(
        one.arg == "return_exceptions" and isinstance(one.value, ast.Constant) and one.value.value is True
        for one in call.keywords
    ):
        return frozenset({Origin(MAYBE, "", call.lineno)})
    if qualified in _PROCESSES:
        return frozenset({Origin(PROCESS, "", call.lineno)})
    return None


def handed_by_name(function: FunctionNode) -> bool:
    """Whether the names of its parameters, and the second one's annotation, say that the function handles an
    exception."""
    named = [one for one in parameters(function) if one not in {"self", "cls"}][:2]
    if named not in _HANDED:
        return False
    annotation = next((one.annotation for one in function.args.args if one.arg == named[1]), None)
    return annotation is None or _may_be_error(annotation)


def _may_be_error(annotation: ast.expr) -> bool:
    """Exceptions have names with a capital; `str`, `dict[str, str]` and `str | None` have not."""
    names = [one.id for one in ast.walk(annotation) if isinstance(one, ast.Name)]
    names += [one.attr for one in ast.walk(annotation) if isinstance(one, ast.Attribute)]
    texts = [
        one.value for one in ast.walk(annotation) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
    return any(one[:1].isupper() and one not in {"Optional", "Any"} for one in (*names, *texts))


def names_its_error(function: FunctionNode) -> bool:
    """Whether the function is handed an exception, by its decorator or by the names of its parameters."""
    return handled_by_decorator(function) is not None or handed_by_name(function)
