"""The backend keeps its promises, and what is its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from plugport.hookspecs.conformance import BackendConformance, BackendUnderTest
from plugport.hookspecs.providers import ProviderStatus, discover

from ssh_backend.conformance import target


class TestSshBackend(BackendConformance):
    """The promises of every backend."""

    @pytest.fixture
    def under_test(self) -> Iterator[BackendUnderTest]:
        """With a workspace of its own."""
        with target() as given:
            yield given


def test_plugport_finds_it() -> None:
    """By its entry point."""
    (found,) = [one for one in discover(allowed=["ssh-backend"]) if one.name == "ssh-backend"]
    assert (found.status, found.reason) == (ProviderStatus.LOADED, None)
