"""Names findings by fingerprints that stay the same when the lines above a finding move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from .cache import digest
from .contract import Finding
from .errors import Unparsable
from .source_file import SourceFile


def fingerprints(findings: Sequence[Finding], files: Mapping[str, SourceFile]) -> list[str]:
    """Return a fingerprint for each finding: of the rule, the path, the code of its lines without their indentation,
    and its number among equal findings. Line numbers and messages, which name lines, are no part of it."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for finding in findings:
        base = "\0".join((finding.rule, finding.path, _code(finding, files)))
        seen[base] += 1
        names.append(digest(base.encode("utf-8", "surrogatepass"), str(seen[base]).encode()))
    return names


def _code(finding: Finding, files: Mapping[str, SourceFile]) -> str:
    span = finding.span
    try:
        lines = [files[finding.path].line(number).strip() for number in range(span.line, span.end_line + 1)]
    except Unparsable:
        return ""
    return "\n".join(lines)
