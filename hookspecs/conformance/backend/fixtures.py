"""The fixtures of every part of the backend's suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ...values.bundle import Bundle
from ..description import BackendUnderTest
from ..faults import bundle_of
from .assertions import NAME, NEW, OLD, OTHER


class BackendPromises:
    """A part of the suite. The provider's tests override `under_test`."""

    @pytest.fixture
    def under_test(self) -> Iterator[BackendUnderTest]:
        """Describe the backend: override this."""
        raise NotImplementedError("override the fixture `under_test` and yield a BackendUnderTest")

    @pytest.fixture(autouse=True)
    def _empty(self, under_test: BackendUnderTest) -> Iterator[None]:
        yield
        own = (f"plugins/{NAME}", f"plugins/{OTHER}", "plugins/.plugport")
        for path in (*own, "skills", ".claude", "CLAUDE.md"):
            under_test.place.delete(path)

    @pytest.fixture
    def old(self, tmp_path: Path) -> Bundle:
        """The older version of the plugin."""
        return bundle_of(tmp_path / "old", NAME, OLD, frozenset({"run.sh"}))

    @pytest.fixture
    def new(self, tmp_path: Path) -> Bundle:
        """The newer version of the plugin."""
        return bundle_of(tmp_path / "new", NAME, NEW, frozenset({"run.sh"}))
