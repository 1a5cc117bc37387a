"""Compiles the path patterns of the configuration: relative to the root, `*` in a name, `**` across folders."""

from __future__ import annotations

import re
from collections.abc import Iterable


def compile_globs(patterns: Iterable[str]) -> re.Pattern[str] | None:
    """Return one expression for all patterns, for `fullmatch` on a relative path with `/`; None for no patterns.

    A pattern that matches a folder matches everything in it.
    """
    bodies = [_translate(pattern) for pattern in patterns]
    return re.compile(f"(?:{'|'.join(bodies)})(?:/.*)?", re.DOTALL) if bodies else None


def _translate(pattern: str) -> str:
    cleaned = pattern.removeprefix("./").rstrip("/")
    if cleaned.endswith("/**"):
        cleaned = cleaned.removesuffix("/**")
    parts: list[str] = []
    position = 0
    while position < len(cleaned):
        if cleaned.startswith("**/", position):
            parts.append("(?:[^/]+/)*")
            position += 3
        elif cleaned.startswith("**", position):
            parts.append(".*")
            position += 2
        elif cleaned[position] == "*":
            parts.append("[^/]*")
            position += 1
        elif cleaned[position] == "?":
            parts.append("[^/]")
            position += 1
        else:
            parts.append(re.escape(cleaned[position]))
            position += 1
    return "".join(parts)
