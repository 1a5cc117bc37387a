"""Reads the header Range of a download by RFC 9110, section 14, before the file is sent."""

from __future__ import annotations

import re
from typing import Final

from ...hookspecs import errors
from .validation import invalid

_SPEC: Final = re.compile(r"([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18})")
_MAX_RANGES: Final = 16
Range = tuple[int, int]
"""The first byte and the last one, both included."""


def requested_ranges(header: str | None, size: int) -> list[Range]:
    """Return the parts of a file of `size` bytes that are asked for; empty if the whole file is to be sent.

    A unit other than bytes is ignored, and so are more than 16 ranges. Ranges beyond the end are left out. Raises
    `InvalidRequest` if the header is malformed, and `RangeNotSatisfiable` if no range overlaps the file.
    """
    unit, separator, listed = (header or "").partition("=")
    if not separator and header is not None and header.strip().lower().startswith("bytes"):
        raise invalid("header.range", "has the form bytes=first-last")
    if unit.strip().lower() != "bytes":
        return []
    specs = [spec.strip(" \t") for spec in listed.split(",")]
    parsed = [_parse(spec, size) for spec in specs if spec]
    if not parsed:
        raise invalid("header.range", "names at least one range")
    if len(parsed) > _MAX_RANGES:
        return []
    satisfiable = [(first, last) for first, last in parsed if first <= last < size]
    if not satisfiable:
        raise errors.RangeNotSatisfiable(size)
    return satisfiable


def _parse(spec: str, size: int) -> Range:
    """Parse `first-last`, `first-` or `-length`. One beyond the end has a last byte before its first."""
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise invalid("header.range", "has ranges of the form first-last, first- or -length")
    first_text, last_text, suffix = match.groups()
    if suffix is not None:
        return max(0, size - int(suffix)), size - 1
    first = int(first_text)
    if last_text and int(last_text) < first:
        raise invalid("header.range", "has ranges whose last byte is not before the first")
    return first, min(int(last_text), size - 1) if last_text else size - 1
