"""Parses with `ast` and with LibCST, and survives what would take the interpreter down.

LibCST's native parser ends the process on deep nesting (20,000 operands of `and` are enough, which `ast` reads
without a murmur), so depth is measured on the `ast` tree before LibCST sees the text. Where there is no `ast` tree
to measure (syntax that is newer than this interpreter), a forked child tries first.
"""

from __future__ import annotations

import ast
import os
import signal
from typing import TYPE_CHECKING

from .errors import TooDeep, Unparsable

if TYPE_CHECKING:
    import libcst

DEEPEST = 400
"""Levels of nesting within one statement. LibCST 1.9 was seen to fall at about ten times as many."""
WIDEST = 500
"""Operands of one `and`/`or`, which LibCST nests."""
_PATIENCE = 3
"""Seconds for the child, and one more for every 200,000 characters; LibCST needs about a tenth."""


def parse_ast(text: str) -> ast.Module:
    """The tree, or `Unparsable` with the position that the parser gave."""
    from .source_file import parse_quietly

    try:
        return parse_quietly(text)
    except (RecursionError, MemoryError) as error:
        raise TooDeep from error
    except SyntaxError as error:
        if error.msg.startswith("too many"):  # nested parentheses, levels of indentation
            raise TooDeep(error.lineno or 1, max(error.offset or 1, 1), error.msg) from error
        from .downlevel import in_older_words

        for older in in_older_words(text):
            try:
                return parse_quietly(older)
            except (SyntaxError, RecursionError, MemoryError, ValueError):
                continue
        raise Unparsable(error.lineno or 1, max(error.offset or 1, 1), error.msg) from error
    except ValueError as error:
        raise Unparsable(1, 1, str(error)) from error


def parse_cst(text: str, tree: ast.Module | None) -> libcst.MetadataWrapper:
    """The LibCST module of the text. `tree` is the same text's `ast` tree, where there is one."""
    import libcst

    if (tree is not None and _too_deep(tree, text)) or (tree is None and not _survives(text)):
        raise TooDeep
    from .downlevel import in_older_words

    try:
        return libcst.MetadataWrapper(libcst.parse_module(text), unsafe_skip_copy=True)
    except RecursionError as error:
        raise TooDeep from error
    except libcst.ParserSyntaxError as error:
        for older in in_older_words(text):
            try:
                return libcst.MetadataWrapper(libcst.parse_module(older), unsafe_skip_copy=True)
            except (libcst.ParserSyntaxError, RecursionError):
                continue
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
    """Whether what is not a statement is too deep. A nesting of n levels takes at least n characters, so that
    nearly everything is known to be shallow by its lines alone."""
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
    """Whether a child process lives through parsing the text, in good time. True where there is no `fork`."""
    if not hasattr(os, "fork"):
        return True
    import libcst

    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_PATIENCE + len(text) // 200_000)
            libcst.parse_module(text)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status)
