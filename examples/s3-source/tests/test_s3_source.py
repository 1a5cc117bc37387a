"""The source keeps its promises, and what is its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from plugport.hookspecs.conformance import SourceConformance, SourceUnderTest
from plugport.hookspecs.providers import ProviderStatus, discover

from s3_source.conformance import target


class TestS3Source(SourceConformance):
    """The promises of every source."""

    @pytest.fixture
    def under_test(self) -> Iterator[SourceUnderTest]:
        """With an S3 of its own."""
        with target() as description:
            yield description


def test_plugport_finds_it() -> None:
    """Discovery loads it by its entry point."""
    (loaded,) = [provider for provider in discover(allowed=["s3-source"]) if provider.name == "s3-source"]
    assert (loaded.status, loaded.reason) == (ProviderStatus.LOADED, None)
