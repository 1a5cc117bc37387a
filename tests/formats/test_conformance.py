"""Every built-in format keeps the promises of a format."""

from __future__ import annotations

import pytest

from plugport.builtin_backends import format_conformance
from plugport.core.dispatcher import FORMATS
from plugport.hookspecs.conformance import FormatConformance


class TestBuiltIn(FormatConformance):
    @pytest.fixture(params=FORMATS)
    def under_test(self, request):
        with getattr(format_conformance, request.param.replace("-", "_"))() as under_test:
            yield under_test
