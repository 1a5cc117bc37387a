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
        with target() as description:
            yield description


def test_plugport_finds_it() -> None:
    """Discovery loads it by its entry point."""
    (loaded,) = [provider for provider in discover(allowed=["ssh-backend"]) if provider.name == "ssh-backend"]
    assert (loaded.status, loaded.reason) == (ProviderStatus.LOADED, None)
