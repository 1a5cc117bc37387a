"""Compiles the path patterns of the configuration: relative to the root, `*` in a name, `**` across folders."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WILDCARDS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_PART = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+", re.DOTALL)


def compile_globs(patterns: Iterable[str]) -> re.Pattern[str] | None:
    """Return one expression for all patterns, for `fullmatch` on a relative path with `/`; None for no patterns.

    A pattern that matches a folder matches everything in it.
    """
    bodies = [_translate(pattern) for pattern in patterns]
    return re.compile(f"(?:{'|'.join(bodies)})(?:/.*)?", re.DOTALL) if bodies else None


def _translate(pattern: str) -> str:
    cleaned = pattern.removeprefix("./").rstrip("/").removesuffix("/**")
    return "".join(_WILDCARDS.get(part) or re.escape(part) for part in _PART.findall(cleaned))
