"""The layout `copilot`: `plugins/` is a marketplace that Copilot CLI reads in place, and two keys enable a plugin."""

from __future__ import annotations

import posixpath
import re
from types import MappingProxyType
from typing import Final

from ...hookspecs import (
    JSON,
    Activation,
    Answer,
    ComponentKind,
    Contents,
    FileSyntax,
    LayoutTarget,
    PlacedFile,
    Question,
    Seen,
    SeenState,
    hookimpl,
)
from .answers import text_answer
from .conversion import hook_groups, json_file, markdown, server_entry, without_cwd
from .draft import Draft, draft_for
from .environment import agent_environment
from .shared import basic_manifest, markdown_path, rules_text, starts_in_folder
from .tables import COPILOT

_OWN: Final = (".plugin/plugin.json", "plugin.json", ".github/plugin/plugin.json")
"""Manifests that Copilot CLI prefers to Claude Code's, the first that is there."""

_MARKET: Final = "plugins/.claude-plugin/marketplace.json"
_ROOT: Final = "${CLAUDE_PLUGIN_ROOT}"


class CopilotLayout:
    """Lays a plugin out for Copilot CLI."""

    layouts = ("copilot",)
    config_dirs = MappingProxyType({"copilot": COPILOT.folder})

    @hookimpl
    def lay_out(self, contents: Contents, target: LayoutTarget) -> Activation:
        """Return the marketplace's entry, the keys and the instructions. Raises `ActivationImpossible` for names."""
        draft = draft_for(COPILOT, contents, target)
        manifest = _manifest(draft)
        if not any(draft.has(path) for path in _OWN):
            draft.add(_OWN[0], json_file(manifest))
        market = "plugport"
        draft.enter(_MARKET, FileSyntax.JSON, ("name",), market)
        draft.enter(_MARKET, FileSyntax.JSON, ("owner", "name"), market)
        place: dict[str, JSON] = {"name": draft.name, "source": f"./{draft.name}"}
        draft.enter(_MARKET, FileSyntax.JSON, ("plugins",), place, append=True)
        source: JSON = {"source": "directory", "path": "${config_dir}/plugins"}
        draft.enter("settings.json", FileSyntax.JSONC, ("extraKnownMarketplaces", market, "source"), source)
        draft.enter("settings.json", FileSyntax.JSONC, ("enabledPlugins", f"{draft.name}@{market}"), True)
        rules = rules_text(draft)
        if rules:
            path = f"instructions/{draft.name}.instructions.md"
            draft.files.append(PlacedFile(path, markdown({"applyTo": "**"}, rules)))
        return draft.build(_question(draft))


def _manifest(draft: Draft) -> dict[str, JSON]:
    """Return a manifest that names every part: in Copilot CLI its paths replace the default folders."""
    manifest = basic_manifest(draft)
    skills = [posixpath.dirname(skill.path) for skill in draft.of(ComponentKind.SKILL)]
    manifest |= {"skills": [f"./{folder}" for folder in skills]} if skills else {}
    for key, kind in (("commands", ComponentKind.COMMAND), ("agents", ComponentKind.SUBAGENT)):
        paths = [markdown_path(draft, component, f".plugin/{key}") for component in draft.of(kind)]
        manifest |= {key: [f"./{path}" for path in paths]} if paths else {}
    hooks = draft.usable_hooks()
    manifest |= {"hooks": dict(hook_groups(draft.contents, hooks, COPILOT, _ROOT))} if hooks else {}
    servers = draft.of(ComponentKind.MCP_SERVER)
    for server in servers:
        if server.path == ".mcp.json" and starts_in_folder(server):
            draft.cannot(
                server, "Copilot CLI reads `.mcp.json` itself, and starts the server outside the plugin's folder"
            )
    if servers:
        entries = {server.name: server_entry(server, _ROOT, draft.has) for server in servers}
        manifest["mcpServers"] = {name: without_cwd(entry) for name, entry in entries.items()}
    return manifest


def _question(draft: Draft) -> Question:
    line = re.compile(rf"^\W*{re.escape(draft.name)}@plugport\b(?P<rest>.*)$", re.MULTILINE)

    def read(answer: Answer) -> Seen:
        text = text_answer(answer)
        if isinstance(text, Seen):
            return text
        match = line.search(text)
        if match is None:
            return Seen(SeenState.NO, "Copilot CLI does not list the plugin")
        if "(enabled)" not in match["rest"]:
            return Seen(SeenState.NO, "Copilot CLI lists the plugin, but did not load it", match[0].strip())
        return Seen(SeenState.YES)

    return Question(("copilot", "plugin", "list"), read, agent_environment(COPILOT, draft.target))


provider = CopilotLayout()
