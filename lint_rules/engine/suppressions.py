"""Reads suppressions, `# plugport: allow[PP001,PP002] reason`, from comment tokens only, and applies them."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from .contract import Finding, Span

MARK = b"plugport:"
_DIRECTIVE = re.compile(r"#\s*plugport:\s*allow\b\s*(?:\[(?P<codes>[^\]]*)\])?(?P<reason>.*)", re.DOTALL)
_SCANNED = re.compile(
    r"""[a-zA-Z]{0,2}(?P<triple>\"{3}|'{3})(?:\\.|.)*?(?P=triple)
      | (?P<quote>["'])(?:\\.|(?!(?P=quote))[^\\\n])*(?P=quote)
      | (?P<comment>\#[^\r\n]*)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Suppression:
    """One directive. `reason` is empty if there is none, `codes` if the brackets are missing or empty."""

    span: Span
    codes: tuple[str, ...]
    reason: str


def suppressions(text: str) -> list[Suppression]:
    """Return every directive of a file, in order."""
    directives: list[Suppression] = []
    for line, column, comment in _comments(text):
        directive = _DIRECTIVE.match(comment)
        if directive is None:
            continue
        codes = tuple(code.strip() for code in (directive["codes"] or "").split(",") if code.strip())
        reason = directive["reason"].split("#")[0].strip().lstrip(":-–— ").strip()  # noqa: RUF001 - dashes as people type
        directives.append(Suppression(Span(line, column, line, column + len(comment)), codes, reason))
    return directives


def apply(
    path: str,
    findings: Iterable[Finding],
    directives: Collection[Suppression],
    ran: Collection[str],
    known: Callable[[str], bool],
) -> tuple[list[Finding], int]:
    """Return the findings that no directive with a reason covers, with a PP000 for each directive that is wrong, and
    how many findings were suppressed. A code counts as unused only if its rule ran, or if no rule has it."""
    used: set[tuple[int, str]] = set()
    kept: list[Finding] = []
    suppressed = 0
    for finding in findings:
        covering = [
            index
            for index, directive in enumerate(directives)
            if directive.reason
            and finding.rule in directive.codes
            and finding.span.line <= directive.span.line <= finding.span.end_line
        ]
        used.update((index, finding.rule) for index in covering)
        if covering:
            suppressed += 1
        else:
            kept.append(finding)
    for index, directive in enumerate(directives):
        if message := _complaint(index, directive, used, ran, known):
            kept.append(Finding("PP000", path, directive.span, message))
    return kept, suppressed


def _complaint(
    index: int, directive: Suppression, used: set[tuple[int, str]], ran: Collection[str], known: Callable[[str], bool]
) -> str | None:
    if not directive.codes:
        return "this suppression names no rule: write `# plugport: allow[PP001] reason`"
    relevant = [code for code in directive.codes if code in ran or not known(code)]
    if not directive.reason:
        if not relevant:
            return None
        return f"this suppression of {', '.join(directive.codes)} gives no reason, so it suppresses nothing"
    if strange := [code for code in relevant if not known(code)]:
        return f"this suppression names {', '.join(strange)}, but no rule has this code"
    if idle := [code for code in relevant if (index, code) not in used]:
        return f"this suppression of {', '.join(idle)} suppresses nothing: remove it"
    return None


def _comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield line, column (both from 1) and text of each comment."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, IndentationError, RecursionError):
        yield from _scanned_comments(text)
        return
    for token in tokens:
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.start[1] + 1, token.string


def _scanned_comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the comments of a text that `tokenize` cannot read to its end, by the shape of strings and comments."""
    for match in _SCANNED.finditer(text):
        if match["comment"] is not None:
            before = re.split(r"\r\n|\r|\n", text[: match.start()])
            yield len(before), len(before[-1]) + 1, match["comment"]
