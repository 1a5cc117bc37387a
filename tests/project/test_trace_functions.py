"""Coverage is taken of every test but of those that try hundreds of examples: see `pytest_runtest_call`."""

from __future__ import annotations

import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st


def traces() -> tuple[bool, bool]:
    """Whether this thread and a new one are traced."""
    seen = []
    thread = threading.Thread(target=lambda: seen.append(sys.gettrace()))
    thread.start()
    thread.join()
    return sys.gettrace() is not None, seen[0] is not None


@given(st.none())
def test_a_test_of_many_examples_is_not_traced(nothing):
    assert nothing is None
    assert traces() == (False, False)


def test_the_next_one_is_again_if_coverage_is_taken(pytestconfig: pytest.Config):
    plugin = pytestconfig.pluginmanager.get_plugin("_cov")
    is_taken = plugin is not None and plugin.cov_controller is not None
    assert traces() == (is_taken, is_taken)
