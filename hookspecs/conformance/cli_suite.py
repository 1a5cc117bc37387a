"""What `plugport conform` runs: the suite of whatever the target gives. No test of its own project is run with it.

pytest loads this file by its path, under another module name: relative imports would make second copies of the kit's
classes. So its imports are absolute.
"""

from __future__ import annotations

import pytest

from plugport.hookspecs.conformance.backend import BackendConformance
from plugport.hookspecs.conformance.description import (
    BackendUnderTest,
    FormatUnderTest,
    LayoutUnderTest,
    ObserverUnderTest,
    PolicyUnderTest,
    SourceUnderTest,
    UnderTest,
)
from plugport.hookspecs.conformance.format import FormatConformance
from plugport.hookspecs.conformance.layout import LayoutConformance
from plugport.hookspecs.conformance.observer import ObserverConformance
from plugport.hookspecs.conformance.policy import PolicyConformance
from plugport.hookspecs.conformance.source import SourceConformance


class _OfTarget:
    @pytest.fixture
    def under_test(self, target: UnderTest) -> UnderTest:
        """Return what the target gives."""
        return target


class TestBackend(_OfTarget, BackendConformance):
    """A backend, as the target gives it."""


class TestSource(_OfTarget, SourceConformance):
    """A source, as the target gives it."""


class TestPolicy(_OfTarget, PolicyConformance):
    """A policy, as the target gives it."""


class TestLayout(_OfTarget, LayoutConformance):
    """A layout, as the target gives it."""


class TestObserver(_OfTarget, ObserverConformance):
    """An observer, as the target gives it."""


class TestFormat(_OfTarget, FormatConformance):
    """A format, as the target gives it."""


SUITES = {
    BackendUnderTest: TestBackend,
    SourceUnderTest: TestSource,
    PolicyUnderTest: TestPolicy,
    ObserverUnderTest: TestObserver,
    LayoutUnderTest: TestLayout,
    FormatUnderTest: TestFormat,
}
"""Which suite a target is held to."""
