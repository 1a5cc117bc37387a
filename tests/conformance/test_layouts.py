"""The built-in layouts keep every promise of the kit."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from plugport.builtin_backends import layout_conformance
from plugport.hookspecs.conformance import LayoutConformance

NAMES = [point.name for point in entry_points(group="plugport") if point.name.startswith("layout-")]


@pytest.mark.parametrize("name", NAMES, scope="class")
class TestBuiltInLayouts(LayoutConformance):
    @pytest.fixture
    def under_test(self, name):
        with getattr(layout_conformance, name.removeprefix("layout-").replace("-", "_"))() as under_test:
            yield under_test


def test_every_built_in_layout_and_format_has_a_target_of_its_own():
    targets = {point.name for point in entry_points(group="plugport.conformance")}
    kinds = ("layout-", "format-")
    assert targets >= {point.name for point in entry_points(group="plugport") if point.name.startswith(kinds)}
    assert len(NAMES) >= 9
