"""The one form of names: of plugins, workspaces and organisations."""

from __future__ import annotations

import re
from typing import Final

NAME_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
"""A regular expression for the whole name."""

_NAME: Final = re.compile(NAME_PATTERN)


def is_name(text: str) -> bool:
    """Return whether the text is a name: 1 to 128 ASCII letters, digits, `.`, `_` and `-`, the first a letter or a
    digit. Such a name is safe as a file name and as a segment of a URL's path."""
    return _NAME.fullmatch(text) is not None
