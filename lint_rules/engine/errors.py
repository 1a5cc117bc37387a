"""The errors of the gates themselves. What a rule finds is a `Finding`, not an error.

The text of each is one sentence for the person at the terminal.
"""

from __future__ import annotations


class UsageError(Exception):
    """Raised when the options are wrong: exit 2. The text says what to do instead."""


class ConfigurationError(UsageError):
    """Raised when `[tool.plugport.lint]` is wrong, by the engine or by a rule's `__init__`: exit 2.

    `key` is the place in the table (`only-caller[1].allow`); the text says what would be right.
    """

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}" if key else problem)
        self.key = key
        self.problem = problem


class Unparsable(Exception):
    """Raised by `SourceFile.text`, `.ast()` and `.cst()` for a file that cannot be parsed. The engine turns it into
    PP900; a rule does not catch it. `line` and `column` count from 1, in code points."""

    def __init__(self, line: int, column: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column
        self.reason = reason

    def __reduce__(self) -> tuple[type[Unparsable], tuple[int, int, str]]:
        return (type(self), (self.line, self.column, self.reason))


class TooDeep(Unparsable):
    """Raised for a file that is nested too deeply: LibCST's native parser ends the process on such a file."""

    def __init__(self, line: int = 1, column: int = 1, reason: str = "it is nested too deeply to be read") -> None:
        super().__init__(line, column, reason)
