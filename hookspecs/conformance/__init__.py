"""The kit by which a provider proves itself (the extra `conformance`): suites of tests, each of them one promise."""

import pytest

_SUITES = (
    "asking",
    "delivering",
    "hearing",
    "judging",
    "sourcing",
    "steps",
    "striking",
    "suite",
    "uninstalling",
)
pytest.register_assert_rewrite(*(f"plugport.hookspecs.conformance.{one}" for one in _SUITES))

from plugport.hookspecs.conformance.backend import BackendConformance  # noqa: E402
from plugport.hookspecs.conformance.hearing import ObserverConformance  # noqa: E402
from plugport.hookspecs.conformance.judging import PolicyConformance  # noqa: E402
from plugport.hookspecs.conformance.places import DirectoryPlace, Place, Seen, ShellPlace  # noqa: E402
from plugport.hookspecs.conformance.sourcing import SourceConformance  # noqa: E402
from plugport.hookspecs.conformance.streams import bundle_of  # noqa: E402
from plugport.hookspecs.conformance.under_test import (  # noqa: E402
    CONNECTION_DROPS,
    DISK_FULL,
    WORKSPACE_VANISHES,
    BackendUnderTest,
    ObserverUnderTest,
    PolicyUnderTest,
    SourceUnderTest,
)

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
