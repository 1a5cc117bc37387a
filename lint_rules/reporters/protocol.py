"""Findings and fixes as an editor takes them: diagnostics and code actions of the Language Server Protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types
from pygls.workspace import PositionCodec

from ..engine.contract import Finding, Fix, Span
from ..engine.text_edits import apply_fixes
from .addresses import page_of

FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.plugport"
_LINE_END = re.compile(r"\r\n|\r|\n")


class Translator:
    """Translates the findings of one text of a document. An editor counts columns in the units of `codec`."""

    def __init__(self, uri: str, text: str, root: Path, codec: PositionCodec) -> None:
        self._uri = uri
        self._text = text
        self._root = root
        self._codec = codec
        self._lines = _LINE_END.split(text)

    def diagnostic(self, finding: Finding) -> types.Diagnostic:
        """Return the finding, with its trace and the address of the rule's page."""
        page = page_of(finding.rule)
        return types.Diagnostic(
            range=self.range(finding.span),
            message=finding.message,
            severity=types.DiagnosticSeverity.Error,
            code=finding.rule,
            code_description=types.CodeDescription(page) if page is not None else None,
            source="plugport",
            related_information=[
                types.DiagnosticRelatedInformation(
                    types.Location((self._root / step.path).as_uri(), _line(step.line)), step.message
                )
                for step in finding.trace
            ],
        )

    def quick_fix(self, finding: Finding, fix: Fix) -> types.CodeAction:
        """Return the finding's fix. An editor may prefer a safe one."""
        title = fix.title if fix.is_safe else f"{fix.title} (read what it changes)"
        return types.CodeAction(
            title=f"{finding.rule}: {title}",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[self.diagnostic(finding)],
            is_preferred=fix.is_safe,
            edit=types.WorkspaceEdit(
                changes={self._uri: [types.TextEdit(self.range(edit.span), edit.text) for edit in fix.edits]}
            ),
        )

    def fix_all(self, fixes: Sequence[Fix]) -> types.CodeAction:
        """Return all of these fixes as one action, which an editor may run on save."""
        text, _ = apply_fixes(self._text, fixes)
        last = len(self._lines) - 1
        whole = self.range(Span(1, 1, last + 1, len(self._lines[last]) + 1))
        return types.CodeAction(
            title="plugport: make all safe fixes",
            kind=FIX_ALL,
            edit=types.WorkspaceEdit(changes={self._uri: [types.TextEdit(whole, text)]}),
        )

    def range(self, span: Span) -> types.Range:
        """Return a span with lines from 0 and columns in the editor's units."""
        return types.Range(self._position(span.line, span.column), self._position(span.end_line, span.end_column))

    def _position(self, line: int, column: int) -> types.Position:
        return self._codec.position_to_client_units(self._lines, types.Position(line - 1, column - 1))


def overlap(first: types.Range, second: types.Range) -> bool:
    """Return whether two ranges have a line in common."""
    return first.start.line <= second.end.line and second.start.line <= first.end.line


def _line(number: int) -> types.Range:
    return types.Range(types.Position(number - 1, 0), types.Position(number, 0))
