"""The built-in layouts keep every promise of the kit."""

from __future__ import annotations

import pytest

from plugport.builtin_backends.layouts import (
    adaptor,
    agents,
    claude_code,
    codex,
    copilot,
    gemini_cli,
    hermes,
    opencode,
    qwen_code,
)
from plugport.hookspecs.conformance import LayoutConformance, LayoutUnderTest

REFUSED = {
    claude_code: ("cache", "data", "marketplaces", "native", "a b"),
    codex: ("cache", "data"),
    gemini_cli: ("a_b", "a.b"),
    qwen_code: ("a_b", "a.b"),
}


@pytest.mark.parametrize(
    "module", [adaptor, agents, claude_code, codex, copilot, gemini_cli, hermes, opencode, qwen_code], scope="class"
)
class TestBuiltInLayouts(LayoutConformance):
    @pytest.fixture
    def under_test(self, module):
        return LayoutUnderTest(module.provider, refused=REFUSED.get(module))
