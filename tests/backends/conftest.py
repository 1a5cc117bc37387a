"""The real engine for tests of the docker backend: one for all of them."""

from __future__ import annotations

import os

import pytest
from engine import NoEngine, PrivateEngine


@pytest.fixture(scope="session")
def engine():
    """A private engine. Without one the tests are skipped with the reason; in CI that is a failure."""
    try:
        started = PrivateEngine()
    except NoEngine as error:
        if os.environ.get("CI"):
            pytest.fail(f"no engine: {error}")
        pytest.skip(f"no engine: {error}")
    yield started
    started.stop()
