"""The targets on which `plugport conform` tries the built-in formats: a plugin of each."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Final

from ..hookspecs.conformance import FormatUnderTest
from .formats import agent_plugins as agent_plugins_format
from .formats import apm as apm_format
from .formats import claude as claude_format
from .formats import codex as codex_format
from .formats import gemini as gemini_format
from .formats import marks
from .formats import plugport as plugport_format
from .formats import qwen as qwen_format
from .formats import skills as skills_format

_SKILL: Final = {"skills/hello/SKILL.md": b"---\nname: hello\ndescription: Greets.\n---\n\nSay hello.\n"}
_PARTS: Final[Mapping[str, bytes]] = {
    **_SKILL,
    "commands/go.md": b"---\ndescription: Goes.\n---\nGo.\n",
    "agents/helper.md": b"---\nname: helper\ndescription: Helps.\n---\nHelp.\n",
    "hooks/hooks.json": b'{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}',
    ".mcp.json": b'{"mcpServers": {"demo": {"command": "demo-server"}}}',
}
_HELLO: Final = (("skill", "hello"),)
_COMPONENTS: Final = (*_HELLO, ("command", "go"), ("subagent", "helper"), ("hook", "Stop"), ("mcp-server", "demo"))


def _json(**fields: object) -> bytes:
    return json.dumps({"name": "demo", "version": "1.0.0", **fields}).encode()


@contextlib.contextmanager
def plugport() -> Iterator[FormatUnderTest]:
    """Describe `plugport`."""
    files = {marks.PLUGPORT: b"name: demo\nversion: 1.0.0\n", marks.FRAGMENT: b'{"model": "x"}', **_PARTS}
    yield FormatUnderTest(plugport_format.provider, files, "demo", _COMPONENTS, marks.PLUGPORT)


@contextlib.contextmanager
def claude() -> Iterator[FormatUnderTest]:
    """Describe `claude`."""
    files = {marks.CLAUDE: _json(), **_PARTS}
    yield FormatUnderTest(claude_format.provider, files, "demo", _COMPONENTS, marks.CLAUDE)


@contextlib.contextmanager
def codex() -> Iterator[FormatUnderTest]:
    """Describe `codex`."""
    files = {marks.CODEX: _json(), **_PARTS}
    yield FormatUnderTest(codex_format.provider, files, "demo", _COMPONENTS, marks.CODEX)


@contextlib.contextmanager
def gemini() -> Iterator[FormatUnderTest]:
    """Describe `gemini`."""
    files = {marks.GEMINI: _json(contextFileName="rules.md"), "rules.md": b"Be brief.\n", **_SKILL}
    files["commands/go.toml"] = b'prompt = "Go."\n'
    components = (*_HELLO, ("rule", "rules"), ("command", "go"))
    yield FormatUnderTest(gemini_format.provider, files, "demo", components, marks.GEMINI)


@contextlib.contextmanager
def qwen() -> Iterator[FormatUnderTest]:
    """Describe `qwen`."""
    files = {marks.QWEN: _json(), "QWEN.md": b"Be brief.\n", **_SKILL}
    yield FormatUnderTest(qwen_format.provider, files, "demo", (*_HELLO, ("rule", "QWEN")), marks.QWEN)


@contextlib.contextmanager
def agent_plugins() -> Iterator[FormatUnderTest]:
    """Describe `agent-plugins`, which knows a plugin by a field of its manifest."""
    files = {marks.ROOT_MANIFEST: _json(**{"$schema": agent_plugins_format.SCHEMA}), **_SKILL}
    yield FormatUnderTest(agent_plugins_format.provider, files, "demo", _HELLO)


@contextlib.contextmanager
def apm() -> Iterator[FormatUnderTest]:
    """Describe `apm`."""
    files = {marks.APM: b"name: demo\nversion: 1.0.0\n", ".apm/instructions/style.instructions.md": b"Be brief.\n"}
    yield FormatUnderTest(apm_format.provider, files, "demo", (("rule", "style"),), marks.APM)


@contextlib.contextmanager
def skills() -> Iterator[FormatUnderTest]:
    """Describe `skills`, which has no manifest."""
    yield FormatUnderTest(skills_format.provider, _SKILL, None, _HELLO)
