"""Turns an exception's text in a response into a logged error and a fixed message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import libcst as cst

from ...engine.ancestors import ancestors, innermost
from ...engine.contract import Fix, TextEdit
from ...engine.edits import import_module, insert_before, replace_node
from ...engine.imports import Imports
from ...engine.source_file import SourceFile
from ...tables.errors import SAFE_ATTRIBUTES
from ..syntax import annotation_of, argument, last_name, parameter_names, statements, targets_of
from ..syntax import every_node as nodes_of

MESSAGE = "the request failed"
_LITERAL = f'"{MESSAGE}"'
_TITLE = "log the error, and send a fixed message"
_ERROR_NAMES = frozenset({"e", "err", "error", "ex", "exc", "exception"})
_ERROR_CLASS = re.compile(r"(?:Error|Exception|Failure|Fault)$")
_TEXT_CALLS = frozenset({"ascii", "format", "repr", "str"})
_TRACEBACKS = frozenset({"format_exc", "format_exception", "format_exception_only", "print_exc"})
_LOG_METHODS = frozenset({"critical", "debug", "error", "exception", "fatal", "info", "log", "warning"})
_LOGGERS = frozenset({"getLogger", "get_logger"})
_HARMLESS_CALLS = frozenset({"isinstance", "type"})
_PARTS = (
    cst.Attribute,
    cst.BinaryOperation,
    cst.BooleanOperation,
    cst.ConcatenatedString,
    cst.FormattedString,
    cst.FormattedStringExpression,
    cst.Index,
    cst.Subscript,
    cst.SubscriptElement,
)
"""Expressions that make one text of several, or read a part of one."""
_STATEMENTS = (cst.AnnAssign, cst.Assign, cst.AugAssign, cst.Expr, cst.Raise, cst.Return)
_Around: TypeAlias = "cst.ExceptHandler | cst.FunctionDef"


def fixed_message(file: SourceFile, node: cst.CSTNode) -> Fix | None:
    """Return the fix for a node that sends the text of the exception that the code around it caught or was handed.
    None if the text comes another way (through a helper, an object, a name that is used elsewhere as well)."""
    sending = innermost(file, node, cst.BaseSmallStatement)  # type: ignore[type-abstract]
    around = _around(file, node)
    if sending is None or around is None:
        return None
    name, place = around
    edits: list[TextEdit] = []
    first: cst.CSTNode = sending
    for statement in (sending, *_sources(file, place, sending, name)):
        texts = _texts(file, statement, name)
        if texts is None:
            return None
        edits += [replace_node(file, text, _LITERAL) for text in texts]
        first = statement if texts else first
    if not edits:
        return None
    log = _log_edits(file, place, name, first)
    return None if log is None else Fix(_TITLE, (*log, *edits))


def fixed_message_at(file: SourceFile, line: int) -> Fix | None:
    """Return the fix for what a function makes of an exception's text: in the statement at a line, or, if an `except`
    clause begins there, in the first statement of the clause that has one."""
    for node in nodes_of(file.tree()):
        span = file.span(node) if isinstance(node, (*_STATEMENTS, cst.ExceptHandler)) else None
        if span is None or not span.line <= line <= span.end_line:
            continue
        is_clause = isinstance(node, cst.ExceptHandler)
        inside = [part for part in nodes_of(node) if isinstance(part, _STATEMENTS)] if is_clause else [node]
        if not is_clause or span.line == line:
            for part in inside:
                if (fix := fixed_message(file, part)) is not None:
                    return fix
    return None


def _around(file: SourceFile, node: cst.CSTNode) -> tuple[str, _Around] | None:
    """Return the exception's name, and the `except` clause that caught it or the function that was handed it."""
    for parent in ancestors(file, node):
        if isinstance(parent, cst.ExceptHandler):
            name = parent.name.name if parent.name is not None else None
            return (name.value if isinstance(name, cst.Name) else "", parent)
        if isinstance(parent, cst.FunctionDef):
            errors = [name for name in parameter_names(parent) if _is_error(parent, name)]
            return (errors[0], parent) if len(errors) == 1 else None
        if isinstance(parent, cst.ClassDef | cst.Lambda):
            return None
    return None


def _is_error(function: cst.FunctionDef, name: str) -> bool:
    annotation = annotation_of(function, name)
    return name in _ERROR_NAMES or _ERROR_CLASS.search(last_name(annotation)) is not None


def _sources(file: SourceFile, place: _Around, sending: cst.CSTNode, name: str) -> Iterator[cst.CSTNode]:
    """Yield the assignments before the sending statement, in its block or an outer one, that make what it sends."""
    wanted = {part.value for part in nodes_of(sending) if isinstance(part, cst.Name)} - {name}
    before = [
        statement for statement in _all_statements(place) if file.offsets(statement)[1] <= file.offsets(sending)[0]
    ]
    for statement in reversed(before):
        targets = {target.value for target in targets_of(statement) if isinstance(target, cst.Name)}
        if targets & wanted:
            wanted |= {part.value for part in nodes_of(statement) if isinstance(part, cst.Name)} - {name}
            if any(_is_reference(part, name) for part in nodes_of(statement)):
                yield statement


def _all_statements(place: _Around) -> Iterator[cst.BaseSmallStatement]:
    for node in nodes_of(place.body):
        if isinstance(node, cst.BaseSmallStatement):
            yield node


def _texts(file: SourceFile, statement: cst.CSTNode, name: str) -> list[cst.BaseExpression] | None:
    """Return the expressions in a statement that hold the exception's text, each as a whole; None if one of them is
    more than a text, as what an unknown function makes of the exception."""
    cause = statement.cause if isinstance(statement, cst.Raise) else None
    inside = {id(node) for node in nodes_of(cause)} if cause is not None else set()
    texts: dict[int, cst.BaseExpression] = {}
    for node in nodes_of(statement):
        if id(node) in inside or not _is_reference(node, name) or _is_harmless(file, node):
            continue
        text = _whole_text(file, node)
        if text is None:
            return None
        texts[id(text)] = text
    return list(texts.values())


def _is_reference(node: cst.CSTNode, name: str) -> bool:
    if isinstance(node, cst.Call):
        return last_name(node.func) in _TRACEBACKS
    return bool(name) and isinstance(node, cst.Name) and node.value == name


def _is_harmless(file: SourceFile, node: cst.CSTNode) -> bool:
    """Return whether the exception is only asked for what is no text: its class, its number, its status."""
    parent = next(ancestors(file, node), None)
    if isinstance(parent, cst.Attribute):
        return parent.value is not node or parent.attr.value in SAFE_ATTRIBUTES
    if isinstance(parent, cst.Arg):
        if parent.keyword is node:
            return True
        call = next(ancestors(file, parent), None)
        return isinstance(call, cst.Call) and last_name(call.func) in _HARMLESS_CALLS
    return False


def _whole_text(file: SourceFile, node: cst.CSTNode) -> cst.BaseExpression | None:
    """Return the widest expression around a reference that is still one text."""
    text = node
    around = list(ancestors(file, node))
    for index, parent in enumerate(around):
        if isinstance(parent, _PARTS):
            text = parent
        elif isinstance(parent, cst.Arg):
            call = around[index + 1]
            if not isinstance(call, cst.Call) or not _makes_text(call):
                break
        elif isinstance(parent, cst.Call) and (parent.func is text or _makes_text(parent)):
            text = parent
        else:
            break
    is_text = text is not node or isinstance(node, cst.Call) or _is_sent_as_it_is(file, node)
    return text if is_text and isinstance(text, cst.BaseExpression) else None


def _makes_text(call: cst.Call) -> bool:
    """Return whether a call makes one text of its arguments: `str`, `"…".format`, `", ".join`, a traceback."""
    if isinstance(call.func, cst.Attribute):
        is_literal = isinstance(call.func.value, cst.SimpleString | cst.ConcatenatedString)
        return (is_literal and call.func.attr.value in {"format", "join"}) or call.func.attr.value in _TRACEBACKS
    return last_name(call.func) in _TEXT_CALLS | _TRACEBACKS


def _is_sent_as_it_is(file: SourceFile, node: cst.CSTNode) -> bool:
    """Return whether the exception itself is a value of a dict or a list, or what a response is made of."""
    parent = next(ancestors(file, node), None)
    if isinstance(parent, cst.Arg):
        call = next(ancestors(file, parent), None)
        return (
            isinstance(call, cst.Call) and re.search(r"(?:Response|HTTPException)$", last_name(call.func)) is not None
        )
    return isinstance(parent, cst.DictElement | cst.Element)


def _log_edits(file: SourceFile, place: _Around, name: str, before: cst.CSTNode) -> Sequence[TextEdit] | None:
    """Return the edits that log the error before a statement; none if the code logs it already, None if there is no
    place for a line."""
    if any(_logs(call, name) for call in nodes_of(place) if isinstance(call, cst.Call)):
        return ()
    line = innermost(file, before, cst.SimpleStatementLine)
    if line is None:
        return None
    logger = _logger(file)
    imports: tuple[TextEdit, ...] = ()
    if logger is None:
        imported = import_module(file, "logging")
        if imported is None:
            return None
        logger, imports = f"{imported.name}.getLogger(__name__)", imported.edits
    is_handed = isinstance(place, cst.FunctionDef)
    call = f"error({_LITERAL}, exc_info={name})" if is_handed else f"exception({_LITERAL})"
    inserted = insert_before(file, line, f"{logger}.{call}")
    return None if inserted is None else (*imports, inserted)


def _logs(call: cst.Call, name: str) -> bool:
    """Return whether the call logs the exception: by `.exception(…)`, with `exc_info`, or as an argument."""
    if not isinstance(call.func, cst.Attribute) or call.func.attr.value not in _LOG_METHODS:
        return False
    is_logger = (
        "log" in last_name(call.func.value).lower()
        or last_name(call.func.value.func if isinstance(call.func.value, cst.Call) else None) in _LOGGERS
    )
    handed = any(_is_reference(part, name) for item in call.args for part in nodes_of(item.value))
    is_exception = call.func.attr.value == "exception"
    return is_logger and (is_exception or handed or argument(call, None, "exc_info") is not None)


def _logger(file: SourceFile) -> str | None:
    """Return the name of the module's logger: `log = logging.getLogger(…)` at its top level."""
    imports = Imports.of(file)
    for statement in statements(file.tree()):
        value = getattr(statement, "value", None)
        if isinstance(value, cst.Call) and last_name(value.func) in _LOGGERS and imports.qualified(value.func):
            names = [target.value for target in targets_of(statement) if isinstance(target, cst.Name)]
            if names and isinstance(statement, cst.Assign | cst.AnnAssign):
                return names[0]
    return None
