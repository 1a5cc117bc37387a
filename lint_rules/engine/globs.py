"""Path patterns of the configuration: relative to the root, `*` within a folder's name, `**` across folders."""

from __future__ import annotations

import re
from collections.abc import Iterable


def compile_globs(patterns: Iterable[str]) -> re.Pattern[str] | None:
    """One expression for all patterns, to be used with `fullmatch` on a relative path with `/`.

    A pattern that matches a folder matches all that is in it. None where there is no pattern.
    """
    bodies = [_translate(pattern) for pattern in patterns]
    return re.compile(f"(?:{'|'.join(bodies)})(?:/.*)?", re.DOTALL) if bodies else None


def _translate(pattern: str) -> str:
    cleaned = pattern.removeprefix("./").rstrip("/")
    if cleaned.endswith("/**"):
        cleaned = cleaned.removesuffix("/**")
    out: list[str] = []
    position = 0
    while position < len(cleaned):
        if cleaned.startswith("**/", position):
            out.append("(?:[^/]+/)*")
            position += 3
        elif cleaned.startswith("**", position):
            out.append(".*")
            position += 2
        elif cleaned[position] == "*":
            out.append("[^/]*")
            position += 1
        elif cleaned[position] == "?":
            out.append("[^/]")
            position += 1
        else:
            out.append(re.escape(cleaned[position]))
            position += 1
    return "".join(out)
