"""XY001 formatted-log: an f-string as the message of a log call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from plugport.lint_rules.engine.model import JSON, Example, Finding, SourceFile, Summaries

CODE = "XY001"
message = "a log call takes its values as arguments"
reason = "One message with many values is one event to whoever counts them; an f-string makes each of them another."
VALID = (Example("log.info('found %s', name)\n"), Example("print(f'found {name}')\n"))
INVALID = (Example("log.info(f'found {name}')\n", lines=(1,)),)


class FormattedLog:
    """The rule. It looks at one file at a time."""

    def __init__(self, config: Mapping[str, JSON]) -> None:
        """`config` is the table `[tool.plugport.lint]`."""

    def wants(self, data: bytes) -> bool:
        """Whether the file is worth parsing."""
        return b"log." in data

    def summarise(self, file: SourceFile) -> JSON:
        """What other files must know of this one: nothing."""
        return None

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """What comes of all the summaries: nothing."""
        return None

    def check(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Iterable[Finding]:
        """Every log call of the file."""
        for node in ast.walk(file.ast()):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log")), args=[ast.JoinedStr(), *_]):
                    yield Finding(CODE, file.relative, file.span(node), message)
