"""The kit by which a provider proves itself (the extra `conformance`): suites of tests, each of them one promise."""

import pytest

_SUITES = ("backend", "observer", "policy", "source", "suite")
pytest.register_assert_rewrite(*(f"plugport.hookspecs.conformance.{one}" for one in _SUITES))

from .backend import BackendConformance  # noqa: E402
from .description import (  # noqa: E402
    CONNECTION_DROPS,
    DISK_FULL,
    WORKSPACE_VANISHES,
    BackendUnderTest,
    ObserverUnderTest,
    PolicyUnderTest,
    SourceUnderTest,
)
from .faults import bundle_of  # noqa: E402
from .filesystems import DirectoryPlace, Place, Seen, ShellPlace  # noqa: E402
from .observer import ObserverConformance  # noqa: E402
from .policy import PolicyConformance  # noqa: E402
from .source import SourceConformance  # noqa: E402

__all__ = [
    "CONNECTION_DROPS",
    "DISK_FULL",
    "KIT_VERSION",
    "WORKSPACE_VANISHES",
    "BackendConformance",
    "BackendUnderTest",
    "DirectoryPlace",
    "ObserverConformance",
    "ObserverUnderTest",
    "Place",
    "PolicyConformance",
    "PolicyUnderTest",
    "Seen",
    "ShellPlace",
    "SourceConformance",
    "SourceUnderTest",
    "bundle_of",
]

KIT_VERSION = 1
"""Raised by one when a promise is added or sharpened, so that a report says what it was held against."""
