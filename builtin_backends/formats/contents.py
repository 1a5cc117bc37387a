"""Makes a format's answer of what was read."""

from __future__ import annotations

from collections.abc import Mapping

from ...hookspecs import JSON, Contents
from .fields import Fields
from .tree_reader import Reading, clean


def contents_of(
    format_name: str,
    reading: Reading,
    fields: Fields,
    *,
    manifest: Mapping[str, JSON] | None = None,
    runtimes: tuple[str, ...] = (),
) -> Contents:
    """Return the contents: the manifest's fields, the components in the order in which they were read."""
    return Contents(
        format_name,
        _clean(fields.name),
        _clean(fields.version),
        _clean(fields.description),
        _clean(fields.author),
        _clean(fields.licence),
        runtimes,
        tuple(reading.components),
        tuple(reading.findings),
        dict(manifest or {}),
    )


def _clean(text: str | None) -> str | None:
    return None if text is None else clean(text)
