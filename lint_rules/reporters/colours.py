"""Colours on a terminal, as plain ANSI sequences; `NO_COLOR` and `FORCE_COLOR` are respected."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, TextIO

_CODES: Final = {"bold": "1", "dim": "2", "red": "1;31", "green": "32", "cyan": "36"}


class Colours:
    """Paints text, or leaves it as it is."""

    def __init__(self, is_on: bool = False) -> None:
        self.is_on = is_on

    def __call__(self, style: str, text: str) -> str:
        """Return the text in a style: `bold`, `dim`, `red`, `green` or `cyan`."""
        return f"\033[{_CODES[style]}m{text}\033[0m" if self.is_on and text else text

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Colours:
        """Return the colours for a stream: none if `NO_COLOR` is set to anything, some if `FORCE_COLOR` is (but not
        to 0), else some on a terminal that is not dumb."""
        if environment.get("NO_COLOR"):
            return cls(False)
        if (forced := environment.get("FORCE_COLOR")) is not None:
            return cls(forced not in {"", "0", "false"})
        return cls(environment.get("TERM") != "dumb" and stream.isatty())
