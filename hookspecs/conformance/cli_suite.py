"""What `plugport conform` runs: the suite of whatever the target gives. No test of its own project is run with it.

pytest loads this file by its path, under another module name: relative imports would make second copies of the kit's
classes. So its imports are absolute.
"""

from __future__ import annotations

import pytest

from plugport.hookspecs.conformance.backend import BackendConformance
from plugport.hookspecs.conformance.description import (
    BackendUnderTest,
    ObserverUnderTest,
    PolicyUnderTest,
    SourceUnderTest,
)
from plugport.hookspecs.conformance.observer import ObserverConformance
from plugport.hookspecs.conformance.policy import PolicyConformance
from plugport.hookspecs.conformance.source import SourceConformance


class TestBackend(BackendConformance):
    """A backend, as the target gives it."""

    @pytest.fixture
    def under_test(self, target: BackendUnderTest) -> BackendUnderTest:
        """See `BackendPromises`."""
        return target


class TestSource(SourceConformance):
    """A source, as the target gives it."""

    @pytest.fixture
    def under_test(self, target: SourceUnderTest) -> SourceUnderTest:
        """See `SourceConformance`."""
        return target


class TestPolicy(PolicyConformance):
    """A policy, as the target gives it."""

    @pytest.fixture
    def under_test(self, target: PolicyUnderTest) -> PolicyUnderTest:
        """See `PolicyConformance`."""
        return target


class TestObserver(ObserverConformance):
    """An observer, as the target gives it."""

    @pytest.fixture
    def under_test(self, target: ObserverUnderTest) -> ObserverUnderTest:
        """See `ObserverConformance`."""
        return target


SUITES = {
    BackendUnderTest: TestBackend,
    SourceUnderTest: TestSource,
    PolicyUnderTest: TestPolicy,
    ObserverUnderTest: TestObserver,
}
"""Which suite a target is held to."""
