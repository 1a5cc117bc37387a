"""The targets on which `plugport conform` tries the built-in layouts, each with names that its runtime refuses."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

from ..hookspecs.conformance import LayoutUnderTest
from .layouts import adaptor as adaptor_layout
from .layouts import agents as agents_layout
from .layouts import claude_code as claude_code_layout
from .layouts import codex as codex_layout
from .layouts import copilot as copilot_layout
from .layouts import gemini_cli as gemini_cli_layout
from .layouts import hermes as hermes_layout
from .layouts import opencode as opencode_layout
from .layouts import qwen_code as qwen_code_layout


def _target(provider: object, *refused: str) -> Callable[[], AbstractContextManager[LayoutUnderTest]]:
    return lambda: contextlib.nullcontext(LayoutUnderTest(provider, refused=refused or None))


adaptor = _target(adaptor_layout.provider)
agents = _target(agents_layout.provider)
claude_code = _target(claude_code_layout.provider, "cache", "data", "marketplaces", "native", "a b")
codex = _target(codex_layout.provider, "cache", "data")
copilot = _target(copilot_layout.provider)
gemini_cli = _target(gemini_cli_layout.provider, "a_b", "a.b")
hermes = _target(hermes_layout.provider)
opencode = _target(opencode_layout.provider)
qwen_code = _target(qwen_code_layout.provider, "a_b", "a.b")
