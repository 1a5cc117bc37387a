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
        with target() as given:
            yield given


def test_plugport_finds_it() -> None:
    """By its entry point."""
    (found,) = [one for one in discover(allowed=["s3-source"]) if one.name == "s3-source"]
    assert (found.status, found.reason) == (ProviderStatus.LOADED, None)
