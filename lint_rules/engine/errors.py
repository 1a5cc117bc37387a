"""The errors of the gates themselves. What a rule finds is never an error: it is a `Finding`."""

from __future__ import annotations


class LintError(Exception):
    """The root of the tree. Its text is one sentence for the person at the terminal."""


class UsageError(LintError):
    """Raised when the command cannot be carried out as it was given: exit 2. Says what to do instead."""


class ConfigurationError(UsageError):
    """Raised when `[tool.plugport.lint]` is wrong, by the engine or by a rule's `__init__`: exit 2.

    `key` is where, in the table's own words (`only-caller[1].allow`); the text says what would be right.
    """

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}" if key else problem)
        self.key = key
        self.problem = problem


class Unparsable(LintError):
    """Raised by `SourceFile.text`, `.ast()` and `.cst()` for a file that neither parser reads. The engine turns it
    into PP900; a rule lets it pass. `line` and `column` count from 1, in code points."""

    def __init__(self, line: int, column: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column
        self.reason = reason

    def __reduce__(self) -> tuple[type[Unparsable], tuple[int, int, str]]:
        return (type(self), (self.line, self.column, self.reason))


class TooDeep(Unparsable):
    """Raised for a file whose nesting no parser should be given: LibCST's native one ends the process on it."""

    def __init__(self, line: int = 1, column: int = 1, reason: str = "it is nested too deeply to be read") -> None:
        super().__init__(line, column, reason)
