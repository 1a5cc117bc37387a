"""What a check says of something that a person wrote."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: `where` it is (`options.path`) and `what` it must be, for whoever wrote it.

    The text reaches clients: it must not hold the text of an exception.
    """

    where: str
    what: str
