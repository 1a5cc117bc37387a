"""Shortens what a process printed, for an error's reason in the log."""

from __future__ import annotations

_MAX_BYTES = 2000


def output_tail(output: bytes) -> str:
    """Return the last 2,000 bytes as text, without surrounding white space."""
    return output[-_MAX_BYTES:].decode("utf-8", "replace").strip()
