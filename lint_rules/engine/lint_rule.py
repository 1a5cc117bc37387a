"""`LintRule`: the base of every rule, a LibCST visitor that reports what it sees."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Self

import libcst as cst

from .contract import JSON, Example, Finding, Fix, SourceFile, Span, Summaries, TraceStep
from .edits import replace_node
from .imports import Imports
from .tree import walk


class LintRule(cst.CSTVisitor):
    """A rule: a subclass with a `code`, a `message`, a `reason`, `VALID` and `INVALID` examples, and `visit_X`
    methods that call `report`. `visit_Module` comes first in each file; what it keeps on `self` lasts for that file.

    For one file the engine calls `wants` (on its bytes) and then the visitor. A rule that follows code across files
    also has `summarise` (every wanted file; cached by content) and `link` (once, over all summaries), its `visit_…`
    methods read `self.linked` and `self.summaries`, and `reads` may leave out a file that needs no parsing.
    Findings are cached by the file's content, the linked facts, and the summaries that were read, and files are
    spread over processes: a rule keeps nothing between files. `mutants(file, table)`, if there is one, yields the
    `Mutant`s that `--prove` tries.
    """

    code: ClassVar[str] = ""
    message: ClassVar[str] = ""
    reason: ClassVar[str] = ""
    VALID: ClassVar[Sequence[Example | str]] = ()
    INVALID: ClassVar[Sequence[Example | str]] = ()

    file: SourceFile
    linked: JSON
    summaries: Summaries

    def __init__(self, config: Mapping[str, JSON]) -> None:
        """Take the table `[tool.plugport.lint]`. Raises `ConfigurationError` for a bad one."""
        super().__init__()
        self.config = config
        self.findings: list[Finding] = []

    def wants(self, data: bytes) -> bool:
        """Return whether the file's bytes make it worth parsing. Must be far cheaper than parsing; True is right, but
        slow in a large project."""
        return True

    def summarise(self, file: SourceFile) -> JSON:
        """Return what other files need to know of this one, as JSON; None for nothing."""
        return None

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """Return facts about the whole project, from the summaries by relative path: small, and JSON."""
        return None

    def reads(self, file: SourceFile, linked: JSON, summaries: Summaries) -> bool:
        """Return whether the visitor has to read this file, now that the project's facts are known. It may look at
        bytes and `ast`; what it leaves out must be what the visitor would report nothing in."""
        return True

    def opened(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Self:
        """Return a visitor of this file alone: `file.tree().visit(rule.opened(…))` fills its `findings`."""
        visitor = copy.copy(self)
        visitor.file, visitor.linked, visitor.summaries, visitor.findings = file, linked, summaries, []
        return visitor

    def check(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Iterable[Finding]:
        """Visit the file, and return the findings. The engine calls this; a rule does not replace it."""
        if not self.reads(file, linked, summaries):
            return ()
        visitor = self.opened(file, linked, summaries)
        walk(file.tree(), visitor)
        return visitor.findings

    @classmethod
    def fix_at(cls, file: SourceFile, line: int) -> Fix | None:
        """Return an unsafe fix for the line of a trace's step, in the step's own file, if a finding has no fix in its
        own; None if there is none. Asked by `--fix --unsafe` alone."""
        return None

    def report(
        self,
        node: cst.CSTNode | Span,
        message: str = "",
        *,
        trace: Iterable[TraceStep] = (),
        fix: Fix | None = None,
        replacement: cst.BaseExpression | str | None = None,
    ) -> None:
        """Report the node, or a place of its own, by default with the rule's `message`. A `replacement` of the node
        is short for an unsafe fix with one edit."""
        span = node if isinstance(node, Span) else self.file.span(node)
        if replacement is not None and not isinstance(node, Span):
            edit = replace_node(self.file, node, replacement)
            fix = Fix(f"write {edit.text}", (edit,))
        self.findings.append(Finding(self.code, self.file.relative, span, message or self.message, tuple(trace), fix))

    def qualified(self, node: cst.CSTNode) -> str | None:
        """Return the dotted name of a name or an attribute through the file's imports (`sp.run` is `subprocess.run`
        after `import subprocess as sp`); None for any other expression, and for a name that is not imported."""
        return Imports.of(self.file).qualified(node)
