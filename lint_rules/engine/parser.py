"""Parses with `ast` and with LibCST, and survives texts that would end the process.

LibCST's native parser ends the process on deep nesting (20,000 operands of `and` are enough, which `ast` reads well).
So the depth is measured on the `ast` tree before LibCST sees the text. If there is no `ast` tree (the syntax is newer
than this interpreter), a forked child parses the text first.
"""

from __future__ import annotations

import ast
import contextlib
import os
import signal
import warnings
from typing import TYPE_CHECKING

from .errors import TooDeep, Unparsable

if TYPE_CHECKING:
    import libcst

DEEPEST = 400
"""Levels of nesting within one statement. LibCST 1.9 fails at about ten times as many."""
WIDEST = 500
"""Operands of one `and`/`or`, which LibCST nests."""
_CHILD_SECONDS = 3
"""Seconds for the child, plus one for every 200,000 characters; LibCST needs about a tenth of that."""


def parse_ast(text: str) -> ast.Module:
    """Return the tree. Raises `Unparsable` with the parser's position."""
    try:
        return _parse_quietly(text)
    except (RecursionError, MemoryError) as error:
        raise TooDeep from error
    except SyntaxError as error:
        if error.msg.startswith("too many"):  # nested parentheses, levels of indentation
            raise TooDeep(error.lineno or 1, max(error.offset or 1, 1), error.msg) from error
        from .downlevel import downlevel

        with contextlib.suppress(SyntaxError, RecursionError, MemoryError, ValueError):
            return _parse_quietly(downlevel(text))
        raise Unparsable(error.lineno or 1, max(error.offset or 1, 1), error.msg) from error
    except ValueError as error:
        raise Unparsable(1, 1, str(error)) from error


def _parse_quietly(text: str) -> ast.Module:
    """Call `ast.parse` without its warnings about the code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def parse_cst(text: str, tree: ast.Module | None) -> libcst.Module:
    """Return the LibCST module of the text. `tree` is the same text's `ast` tree, if there is one. Raises
    `Unparsable`."""
    import libcst

    if (tree is not None and _too_deep(tree, text)) or (tree is None and not _survives(text)):
        raise TooDeep
    from .downlevel import downlevel

    try:
        return libcst.parse_module(text)
    except RecursionError as error:
        raise TooDeep from error
    except libcst.ParserSyntaxError as error:
        with contextlib.suppress(SyntaxError, libcst.ParserSyntaxError, RecursionError):
            return libcst.parse_module(downlevel(text))
        raise Unparsable(error.raw_line, error.raw_column + 1, error.message) from error


def _too_deep(tree: ast.Module, text: str) -> bool:
    longest = max(map(len, text.splitlines()), default=0)
    statements: list[tuple[ast.stmt, int]] = [(statement, 1) for statement in tree.body]
    while statements:
        statement, depth = statements.pop()
        if depth > DEEPEST:
            return True
        for part in ast.iter_child_nodes(statement):
            if isinstance(part, ast.stmt):
                statements.append((part, depth + 1))
            elif isinstance(part, ast.ExceptHandler | ast.match_case):
                statements.extend((inner, depth + 1) for inner in part.body)
                if any(
                    _nested(head, longest) for head in ast.iter_child_nodes(part) if not isinstance(head, ast.stmt)
                ):
                    return True
            elif _nested(part, longest):
                return True
    return False


def _nested(part: ast.AST, longest: int) -> bool:
    """Return whether a part of a statement is nested too deeply. A nesting of n levels takes at least n characters,
    so the length of its lines shows that nearly every part is not."""
    line = getattr(part, "lineno", None)
    if line is not None and (getattr(part, "end_lineno", line) - line + 1) * longest < DEEPEST:
        return False
    level: list[ast.AST] = [part]
    depth = 0
    while level:
        depth += 1
        if depth > DEEPEST or any(isinstance(node, ast.BoolOp) and len(node.values) > WIDEST for node in level):
            return True
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return False


def _survives(text: str) -> bool:
    """Return whether a child process survives parsing the text, in time. True if the system has no `fork`."""
    if not hasattr(os, "fork"):
        return True
    import libcst

    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_CHILD_SECONDS + len(text) // 200_000)
            libcst.parse_module(text)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status)
