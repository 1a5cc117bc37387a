"""Shows names of files, which may hold any bytes, as Unicode text."""

from __future__ import annotations

import os


def displayed(name: str) -> str:
    """Return the name with each byte that is not UTF-8 as `\\xff`, so that every encoder takes it."""
    return os.fsencode(name).decode("utf-8", "backslashreplace") if _has_surrogate(name) else name


def _has_surrogate(name: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in name)
