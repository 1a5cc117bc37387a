"""What a rule receives and what it reports: the contract between the engine and every rule.

Nothing here imports LibCST, so that a run that only reads cached results starts fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ...hookspecs import JSON
from .project import Summaries
from .source_file import SourceFile, Span

__all__ = ["JSON", "Example", "Finding", "Fix", "Rule", "SourceFile", "Span", "Summaries", "TextEdit", "TraceStep"]


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step of the path from a source to a sink. `path` is relative to the lint root, with `/`."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replaces what stands at `span` of the finding's file by `text`; an empty span inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """How to mend a finding: `title` in words, and edits that do not overlap. `is_safe`: it cannot change what the
    program does; others are made only when `--unsafe` asks for them."""

    title: str
    edits: tuple[TextEdit, ...]
    is_safe: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule reports, at the sink. The engine shortens a span of more than five lines. `path` as in
    `TraceStep`. A fix takes no part in comparisons."""

    rule: str
    path: str
    span: Span
    message: str
    trace: tuple[TraceStep, ...] = field(default=())
    fix: Fix | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Example:
    """One of a rule's VALID or INVALID examples, for its tests and for `--explain`. A plain string is one as well.

    `config` is the table `[tool.plugport.lint]`. `files` are further files of the example's project by relative
    path; `code` itself is in `path`. `lines` are the lines of an INVALID example at which a finding starts, in
    order, one entry for each finding; if it is empty, at least one finding is expected somewhere.
    """

    code: str
    config: Mapping[str, JSON] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    path: str = "example.py"
    lines: tuple[int, ...] = ()


class Rule(Protocol):
    """The old shape of a rule, which finds by itself. It works until version 0.3, and warns: make it a `LintRule`.

    The engine makes one instance for each run. It keeps no state between files, since files are spread over processes
    and results are cached.

    Order: `wants` (bytes) -> `summarise` (every wanted file; cached by content) -> `link` (once, over all
    summaries) -> `check` (every wanted file; cached by content, the linked facts and the summaries read).
    """

    def __init__(self, config: Mapping[str, JSON]) -> None:
        """Take the table `[tool.plugport.lint]`. Raises `ConfigurationError` for a bad one."""

    def wants(self, data: bytes) -> bool:
        """Return whether the file's bytes make it worth parsing. Must be far cheaper than `ast.parse`."""

    def summarise(self, file: SourceFile) -> JSON:
        """Return what other files need to know of this one, as JSON; None for nothing."""
        return None

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """Return facts about the whole project, from the summaries by relative path: small, and JSON."""
        return None

    def check(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Iterable[Finding]:
        """Return the findings in this file."""
