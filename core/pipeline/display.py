"""Shows names of files, which may hold any bytes, as Unicode text."""

from __future__ import annotations


def displayed(name: str) -> str:
    """Return the name with each byte that is not UTF-8 as `\\xff`, so that every encoder takes it."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
