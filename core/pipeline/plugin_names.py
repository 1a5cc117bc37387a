"""Which names a plugin may get in a workspace."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from ...hookspecs.errors import InvalidPluginName, NameTaken
from ...hookspecs.values import Bundle, Source
from ..store.installed import InstalledRecord
from .manifest import validate_name

_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?\Z", re.IGNORECASE)
"""Device names of Windows, where a workspace's volume may be mounted (Microsoft, "Naming Files")."""


def validate_new_name(text: str) -> str:
    """Return the name itself. Raises `InvalidPluginName` if no new plugin may have it: not every file system takes
    names that end in a dot, or that are device names of Windows."""
    if validate_name(text).endswith(".") or _RESERVED.match(text):
        raise InvalidPluginName("ends in a dot, or is a device name of Windows")
    return text


def folded(name: str) -> str:
    """Return the name as a file system that ignores case and Unicode forms compares it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", name).casefold())


def require_free_name(
    bundle: Bundle, source: Source, records: Mapping[str, InstalledRecord], *, replace: bool
) -> None:
    """Check a bundle's name against the plugins that the workspace has. Names are compared without case.

    Raises `InvalidPluginName`, and `NameTaken` if a plugin of another origin has the name and `replace` is not set.
    If one of the origins is not known, the plugin is replaced.
    """
    own = records.get(bundle.name)
    if own is None:
        validate_new_name(bundle.name)
    requested = bundle.origin or str(source)
    for name, record in records.items():
        if name != bundle.name and folded(name) == folded(bundle.name):
            raise NameTaken(record.origin or record.source, requested)
    if own is not None and own.origin and bundle.origin and own.origin != bundle.origin and not replace:
        raise NameTaken(own.origin, requested)
