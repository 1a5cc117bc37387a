"""Errors of a source: it cannot be read, has no provider, or cannot be reached."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from .base import PlugportError, declared, error_field


class SourceFault(StrEnum):
    """What is wrong with a source, as a closed list: nothing of the source's own text is repeated."""

    EMPTY = "give a source as scheme://spec, or the bare name of a plugin of the catalog"
    MALFORMED = "a source is scheme://spec without blanks or control characters, in at most 2,048 characters"
    TRAVERSAL = "a local name is one path segment: letters, digits, dot, dash and underscore"
    BAD_REPOSITORY = "name the repository as owner/repository"
    BAD_REF = "a ref must not start with a dash and must be a valid git ref name or a full commit SHA"
    BAD_SPEC = "the scheme's provider does not understand this spec"
    BAD_HOST = BAD_SPEC  # deprecated: an alias for providers that were written for 0.1


@declared
class InvalidSource(PlugportError):
    """Raised when a source cannot be read, by the core or by a source provider before it fetches."""

    slug, status, title = "invalid-source", 400, "Invalid source"
    detail_template = "source: {fault}"
    fault: SourceFault = error_field(clean=SourceFault)
    reason: str = ""


@declared
class UnknownScheme(PlugportError):
    """Raised when no source provider has the scheme."""

    slug, status, title = "unknown-scheme", 400, "Unknown scheme"
    detail_template = "No source has this scheme. Available: {available}."
    available: Sequence[str] = error_field(clean=lambda names: tuple(sorted(names)), member="available_schemes")


class UnpinnedSource(PlugportError):
    """Raised by a source whose spec names no fixed state (no tag, branch or commit)."""

    slug, status, title = "unpinned-source", 422, "Unpinned source"
    detail_template = (
        "Pin the source to a tag, a branch or a full commit SHA, as in github://owner/repository#v1.2.0."
    )


@declared
class SourceUnavailable(PlugportError):
    """Raised when a source cannot be reached or answers with an error; the core fills `scheme` in."""

    slug, status, title = "source-unavailable", 502, "Source unavailable"
    detail_template = "failed to fetch plugin from {scheme}"
    reason: str = ""
    scheme: str = error_field(default="its source", member=None, kw_only=True)


class SourceTimeout(SourceUnavailable):
    """Raised when a source does not answer in time."""

    slug, status, title = "source-timeout", 504, "Source timed out"
