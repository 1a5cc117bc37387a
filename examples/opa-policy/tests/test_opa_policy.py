"""The policy keeps its promises, and what is its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from plugport.hookspecs.conformance import PolicyConformance, PolicyUnderTest
from plugport.hookspecs.loading import ProviderStatus, discover

from opa_policy.conformance import target


class TestOpaPolicy(PolicyConformance):
    """The promises of every policy."""

    @pytest.fixture
    def under_test(self) -> Iterator[PolicyUnderTest]:
        """As the target gives it."""
        with target() as given:
            yield given


def test_plugport_finds_it() -> None:
    """By its entry point."""
    (found,) = [one for one in discover(allowed=["opa-policy"]) if one.name == "opa-policy"]
    assert (found.status, found.reason) == (ProviderStatus.LOADED, None)
