"""The tests that share an expensive fixture are dealt to one process."""

from __future__ import annotations

from support.schedule import TOGETHER
from support.source_tree import files_of_tests


def test_the_modules_with_a_fixture_of_their_own_scope_stay_together():
    modules = {path.name for path in files_of_tests() if '@pytest.fixture(scope="module"' in path.read_text("utf-8")}
    assert modules - {"test_schedule.py"} == TOGETHER
