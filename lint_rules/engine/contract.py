"""What a rule receives and what it reports: the contract between the engine and every rule.

Nothing here imports LibCST, so that a run that only reads cached results starts fast.
"""

from __future__ import annotations

from ast import AST, Module
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    import libcst

T = TypeVar("T")
JSON: TypeAlias = "None | bool | int | float | str | Sequence[JSON] | Mapping[str, JSON]"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file. Lines from 1, inclusive; columns from 1, in code points, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step of the path from a source to a sink. `path` is relative to the lint root, with `/`."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule reports, at the sink. The engine shortens a span of more than five lines. `path` as in
    `TraceStep`."""

    rule: str
    path: str
    span: Span
    message: str
    trace: tuple[TraceStep, ...] = field(default=())


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


class SourceFile(Protocol):
    """One Python file. It is parsed when a rule asks for a tree, at most once."""

    @property
    def path(self) -> Path: ...
    @property
    def relative(self) -> str:
        """The path below the lint root, with `/`."""

    @property
    def module(self) -> str | None:
        """The dotted name by which the project's own code imports this file, or None."""

    @property
    def data(self) -> bytes: ...
    @property
    def text(self) -> str:
        """The decoded text without a byte order mark. Raises `Unparsable` (PP900) for a wrong encoding."""

    def ast(self) -> Module:
        """Return the `ast` tree, about ten times cheaper than LibCST's. Raises `Unparsable` (PP900)."""

    def cst(self) -> libcst.MetadataWrapper:
        """Return the LibCST module with metadata. It is not a copy: do not change it. Raises `Unparsable` (PP900)."""

    def span(self, node: AST) -> Span:
        """Return where an `ast` node stands, in code points from 1 (`ast` itself counts bytes from 0)."""

    def line(self, number: int) -> str:
        """Return line `number` (from 1) without its end, as Python counts lines; `""` past the end."""

    def derived(self, key: str, make: Callable[[], T]) -> T:
        """Return what `make()` returned at the first call with this key, as long as the trees are kept: what a rule
        makes of a tree and needs in its summary and in its check. Start `key` with the rule's code."""


class Summaries(Protocol):
    """The summaries that one rule made of the project's files. What a check reads here becomes a dependency of its
    result: the cached result is dropped if that summary changes."""

    def of_module(self, module: str) -> JSON:
        """Return the summary of the project's module of that dotted name; None if there is none."""

    def path_of(self, module: str) -> str | None:
        """Return the relative path of that module; None if it is not the project's."""


class Rule(Protocol):
    """A rule as the engine runs it; a rule may inherit from this class. The engine makes one instance for each run.
    It keeps no state between files, since files are spread over processes and results are cached.

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
