"""Sources: where plugins come from, and what a source provider answers to a fetch."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import InvalidSource, SourceFault

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,31}\Z")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a plugin comes from: `scheme://spec`.

    The core does not read what follows the scheme; the source provider does.
    """

    scheme: str
    spec: str

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read `scheme://spec`; a bare name means `local://name`.

        Raises `InvalidSource` when the text is empty, has no spec, holds a control character or is longer
        than 2,048 characters, or when the scheme is not a lower-case word (RFC 3986, section 3.1).
        """
        if not text or not text.strip():
            raise InvalidSource(SourceFault.EMPTY)
        if len(text) > 2048 or text != text.strip() or not text.isprintable():
            raise InvalidSource(SourceFault.MALFORMED)
        scheme, separator, spec = text.partition("://")
        if not separator:
            scheme, spec = "local", text
        if not _SCHEME.match(scheme):
            raise InvalidSource(SourceFault.MALFORMED)
        if not spec:
            raise InvalidSource(SourceFault.EMPTY)
        return cls(scheme, spec)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.spec}"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a source says of the files that it has put into `destination`.

    `name` is the plugin's name that the source vouches for, or None if the manifest names the plugin. `revision` is
    what the source calls this state of the files (a commit, a version), or None. `origin` is the source without its
    ref or version, in one spelling (`github://owner/repository`), or None if the source has no such thing: a plugin
    of the same name from another origin is another plugin.
    """

    name: str | None
    revision: str | None = None
    origin: str | None = None
