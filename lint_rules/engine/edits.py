"""Makes the edits of fixes: replaces an expression, puts a line before a statement, imports a name.

Every edit is text at a place, so that all other bytes of a file stay as they are.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst
from libcst._nodes.internal import CodegenState

from .ancestors import innermost
from .contract import TextEdit
from .imports import dotted_name, imported_names, package_of
from .mutant import lines_before_imports
from .source_file import SourceFile, Span
from .tree import every_node

_ATOMS = (
    cst.Attribute,
    cst.BaseNumber,
    cst.Call,
    cst.Dict,
    cst.List,
    cst.Name,
    cst.Set,
    cst.SimpleString,
    cst.Subscript,
    cst.FormattedString,
)
"""Expressions that may stand before `.`, `(` and `[` without parentheses."""
_TRAILER = re.compile(r"[ \t]*[\[(]|\s*\.")
_STANDARD, _FOREIGN, _OWN, _RELATIVE = range(4)


class Import(NamedTuple):
    """The name by which a file uses an imported module or function, and the edits that import it (none if the file
    imports it already)."""

    name: str
    edits: tuple[TextEdit, ...]


def replace_node(file: SourceFile, node: cst.CSTNode, new: cst.BaseExpression | str) -> TextEdit:
    """Replace an expression of the file's tree. `new` gets parentheses if something follows that would bind only a
    part of it, as `.json()` after `await …`. Parentheses around the old expression stay. Raises `ValueError` if `new`
    is no expression, and `LookupError` for a node of another tree."""
    expression = _parsed(new) if isinstance(new, str) else new
    text = new if isinstance(new, str) else _code(file, node, expression)
    if not getattr(node, "lpar", ()):
        if not isinstance(expression, _ATOMS) and not expression.lpar and needs_parentheses(file, node):
            text = f"({text})"
    elif expression.lpar and not isinstance(new, str):
        text = _code(file, node, expression.with_changes(lpar=(), rpar=()))
    return TextEdit(file.span(node), text)


def needs_parentheses(file: SourceFile, node: cst.CSTNode) -> bool:
    """Return whether `.`, `(` or `[` comes behind an expression: it would bind only a part of `await …`."""
    return not getattr(node, "lpar", ()) and _TRAILER.match(file.text, file.offsets(node)[1]) is not None


def insert_before(file: SourceFile, statement: cst.CSTNode, *lines: str) -> TextEdit | None:
    """Put lines before a statement, with its indent; None if something else stands before it on its line."""
    decorators = getattr(statement, "decorators", ())
    span = file.span(decorators[0] if decorators else statement)
    indent = file.line(span.line)[: span.column - 1]
    if indent.strip():
        return None
    return TextEdit(_at(span.line), "".join(f"{indent}{line}\n" if line else "\n" for line in lines))


def import_module(file: SourceFile, module: str) -> Import | None:
    """Make a file import a module as `import module`; None if its name means something else there."""
    if (name := _imported_as(file, module)) is not None:
        return Import(name, ())
    if _is_bound(file, module.partition(".")[0]):
        return None
    return Import(module, (_import_edit(file, f"import {module}", module, is_from=False),))


def import_from(file: SourceFile, module: str, name: str) -> Import | None:
    """Make a file import a name as `from module import name`; None if the name means something else there."""
    if (local := _imported_as(file, f"{module}.{name}")) is not None:
        return Import(local, ())
    if _is_bound(file, name):
        return None
    return Import(name, (_import_edit(file, f"from {module} import {name}", module, is_from=True),))


def _parsed(text: str) -> cst.BaseExpression:
    try:
        return cst.parse_expression(text)
    except cst.ParserSyntaxError as error:
        raise ValueError(f"{text!r} is no expression: {error.message}") from error


def _code(file: SourceFile, place: cst.CSTNode, expression: cst.BaseExpression) -> str:
    """Return the source of an expression as it is indented at a place: its lines begin where the statement does."""
    module = file.tree()
    state = CodegenState(module.default_indent, module.default_newline)
    statement = innermost(file, place, cst.SimpleStatementLine, cst.BaseCompoundStatement)  # type: ignore[type-abstract]
    if statement is not None:
        line = file.line(file.span(statement).line)
        state.increase_indent(line[: len(line) - len(line.lstrip())])
    expression._codegen(state)
    return "".join(state.tokens)


def _at(line: int) -> Span:
    return Span(line, 1, line, 1)


def _imported_as(file: SourceFile, dotted: str) -> str | None:
    """Return the name that an import at the top of the module binds to it, if nothing else binds that name."""
    package = package_of(file)
    for statement in _top_imports(file):
        for part in statement.body:
            if isinstance(part, cst.Import | cst.ImportFrom):
                for name, meaning in imported_names(part, package):
                    if meaning == dotted and list(_bindings(file, name)) == [True]:
                        return name
    return None


def _is_bound(file: SourceFile, name: str) -> bool:
    return any(True for _ in _bindings(file, name))


def _bindings(file: SourceFile, name: str) -> Iterator[bool]:
    """Yield for each place in the file that binds the name (in any scope) whether that is an import."""
    for node in every_node(file.tree()):
        match node:
            case cst.Import() | cst.ImportFrom():
                yield from (True for bound, _ in imported_names(node, None) if bound == name)
            case cst.FunctionDef(name=cst.Name(value=bound)) | cst.ClassDef(name=cst.Name(value=bound)):
                yield from [False] if bound == name else []
            case cst.Param(name=cst.Name(value=bound)):
                yield from [False] if bound == name else []
            case cst.ExceptHandler(name=cst.AsName(name=target)) | cst.WithItem(asname=cst.AsName(name=target)):
                names = every_node(target)
                yield from (False for part in names if isinstance(part, cst.Name) and part.value == name)
            case cst.AssignTarget() | cst.AnnAssign() | cst.AugAssign() | cst.For() | cst.CompFor() | cst.NamedExpr():
                names = every_node(node.target)
                yield from (False for part in names if isinstance(part, cst.Name) and part.value == name)
            case cst.MatchAs(name=cst.Name(value=bound)) | cst.MatchStar(name=cst.Name(value=bound)):
                yield from [False] if bound == name else []


def _top_imports(file: SourceFile) -> list[cst.SimpleStatementLine]:
    """Return the lines of imports at the top of the module, up to the first statement that is something else."""
    before = lines_before_imports(file)
    imports: list[cst.SimpleStatementLine] = []
    for statement in file.tree().body:
        if file.span(statement).line <= before:
            continue
        if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(
            statement.body[0], cst.Import | cst.ImportFrom
        ):
            break
        imports.append(statement)
    return imports


def _import_edit(file: SourceFile, line: str, module: str, *, is_from: bool) -> TextEdit:
    """Insert the line where isort would have it: by section, plain imports first, by name."""
    imports = _top_imports(file)
    if not imports:
        return _first_import(file, line)
    key = (_section(file, module), is_from, module.lower())
    before = [statement for statement in imports if _key(file, statement) < key]
    after = [statement for statement in imports if statement not in before]
    if after and _key(file, after[0])[0] == key[0]:
        return TextEdit(_at(file.span(after[0]).line), f"{line}\n")
    if not before:
        return TextEdit(_at(file.span(imports[0]).line), f"{line}\n\n")
    gap = "" if _key(file, before[-1])[0] == key[0] else "\n"
    return _at_the_end(file, TextEdit(_at(file.span(before[-1]).end_line + 1), f"{gap}{line}\n"))


def _first_import(file: SourceFile, line: str) -> TextEdit:
    """Insert the only import of a file: after the docstring, before the first statement and its comments."""
    before = lines_before_imports(file)
    rest = [statement for statement in file.tree().body if file.span(statement).line > before]
    if not rest:
        return _at_the_end(file, TextEdit(_at(len(file.lines()) + 1), f"\n{line}\n" if before else f"{line}\n"))
    statement = rest[0]
    decorators = getattr(statement, "decorators", ())
    number = file.span(decorators[0] if decorators else statement).line
    gap = 2 if isinstance(statement, cst.FunctionDef | cst.ClassDef) else 1
    if before:
        blank = next((index for index in range(number - before) if file.line(before + 1 + index).strip()), 0)
        return TextEdit(_at(before + 1), f"\n{line}\n" + "\n" * max(gap - blank, 0))
    top = number
    while top > 1 and file.line(top - 1).startswith("#"):
        top -= 1
    is_header = top == 1 and number > 1
    return TextEdit(_at(number if is_header else top), f"{line}\n" + "\n" * gap)


def _at_the_end(file: SourceFile, edit: TextEdit) -> TextEdit:
    """Move an insertion below the last line into that line's end, if the file does not end in a newline."""
    lines = file.lines()
    if edit.span.line <= len(lines) or not lines or file.text.endswith(("\n", "\r")):
        return edit
    end = len(lines[-1]) + 1
    return TextEdit(Span(len(lines), end, len(lines), end), "\n" + edit.text)


def _key(file: SourceFile, statement: cst.SimpleStatementLine) -> tuple[int, bool, str]:
    part = statement.body[0]
    if isinstance(part, cst.ImportFrom):
        module = dotted_name(part.module)
        return _RELATIVE if part.relative else _section(file, module), True, module.lower()
    module = dotted_name(part.names[0].name) if isinstance(part, cst.Import) else ""
    return _section(file, module), False, module.lower()


def _section(file: SourceFile, module: str) -> int:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return _STANDARD
    return _OWN if top == (file.module or "").partition(".")[0] else _FOREIGN
