"""The kit by which a provider proves itself (the extra `conformance`): suites of tests, each of them one promise."""

import warnings
from typing import Any, Final

import pytest

_ASSERTING = ("backend", "format", "layout", "observer", "policy", "runner", "source")
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in _ASSERTING))

from .backend import BackendConformance  # noqa: E402
from .description import (  # noqa: E402
    CONNECTION_DROPS,
    DISK_FULL,
    FEW_TOOLS,
    NO_COMMANDS,
    NOISY,
    WORKSPACE_VANISHES,
    BackendUnderTest,
    FormatUnderTest,
    LayoutUnderTest,
    ObserverUnderTest,
    PolicyUnderTest,
    SourceUnderTest,
)
from .faults import bundle_of  # noqa: E402
from .filesystems import DirectoryFilesystem, FileState, ShellFilesystem, TargetFilesystem  # noqa: E402
from .format import FormatConformance  # noqa: E402
from .layout import LayoutConformance  # noqa: E402
from .observer import ObserverConformance  # noqa: E402
from .policy import PolicyConformance  # noqa: E402
from .source import SourceConformance  # noqa: E402

__all__ = [
    "CONNECTION_DROPS",
    "DISK_FULL",
    "FEW_TOOLS",
    "KIT_VERSION",
    "NOISY",
    "NO_COMMANDS",
    "WORKSPACE_VANISHES",
    "BackendConformance",
    "BackendUnderTest",
    "DirectoryFilesystem",
    "FileState",
    "FormatConformance",
    "FormatUnderTest",
    "LayoutConformance",
    "LayoutUnderTest",
    "ObserverConformance",
    "ObserverUnderTest",
    "PolicyConformance",
    "PolicyUnderTest",
    "ShellFilesystem",
    "SourceConformance",
    "SourceUnderTest",
    "TargetFilesystem",
    "bundle_of",
]

KIT_VERSION = 4
"""Raised by one when a promise is added or sharpened, so that a report says what it was held against."""

_RENAMED: Final = {
    "DirectoryPlace": DirectoryFilesystem,
    "Place": TargetFilesystem,
    "Seen": FileState,
    "ShellPlace": ShellFilesystem,
}
"""The names of version 0.1. They go with version 0.3."""


def __getattr__(name: str) -> Any:
    """Return what a name of version 0.1 is now, with a warning."""
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new = _RENAMED[name]
    warnings.warn(f"{__name__}.{name} is now {new.__name__}", DeprecationWarning, stacklevel=2)
    return new
