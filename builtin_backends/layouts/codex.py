"""The layout `codex`: a copy of the plugin where Codex keeps those of its marketplaces, and a key that enables it.

Codex follows no link there. Rules become text in `AGENTS.md`, subagents files in `agents/`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from ...hookspecs import (
    JSON,
    Activation,
    Answer,
    Component,
    ComponentKind,
    ContentFinding,
    Contents,
    Copy,
    FileSyntax,
    Grant,
    LayoutTarget,
    PathKind,
    PlacedFile,
    Question,
    Seen,
    SeenState,
    SettingsEntry,
    Severity,
    TargetQuery,
    TargetState,
    hookimpl,
)
from .answers import text_answer
from .codex_trust import TrustUnknown, hook_trust
from .conversion import ROOT, body_of, hook_groups, json_file, server_entry, toml
from .draft import Draft, draft_for, plain_word
from .environment import agent_environment
from .shared import basic_manifest, memory_text
from .tables import CODEX

_FOLDER: Final = ".codex-plugin"
_MANIFEST: Final = f"{_FOLDER}/plugin.json"
_OVERRIDE: Final = "AGENTS.override.md"
_HOOK_ROOT: Final = "${PLUGIN_ROOT:-}"
"""The plugin's folder in a hook's command, as the shell replaces it: Codex would put the path in without quotes."""

_TRUST: Final = "Codex runs a plugin's hooks only if they are trusted, and any change of the plugin ends that."
_BY_HAND: Final = f"{_TRUST} A person trusts them: start `codex` and answer its question."


class CodexLayout:
    """Lays a plugin out for Codex."""

    layouts = ("codex",)
    config_dirs = MappingProxyType({"codex": CODEX.folder})

    @hookimpl
    def lay_out(self, contents: Contents, target: LayoutTarget) -> Activation:
        """Return the copy, the key, the text and the files. Raises `ActivationImpossible` for its names."""
        draft = draft_for(CODEX, contents, target)
        hooks = _usable_hooks(draft)
        if draft.has(_MANIFEST):
            _check_servers(draft)
        else:
            _add_manifest(draft, hooks)
        draft.copies.append(Copy(f"plugins/cache/plugport/{draft.name}/local"))
        draft.enter("config.toml", FileSyntax.TOML, ("plugins", f"{draft.name}@plugport", "enabled"), True)
        draft.texts += memory_text(draft, "AGENTS.md")
        draft.files += _subagents(draft)
        if hooks:
            draft.grants.append(_hooks_grant(draft))
        query = TargetQuery(paths=(_OVERRIDE,)) if draft.texts else TargetQuery()
        return draft.build(_question(draft), query, _overridden)


def _usable_hooks(draft: Draft) -> tuple[Component, ...]:
    hooks = draft.usable_hooks()
    if hooks and draft.has("plugin.json"):
        for hook in hooks:
            draft.cannot(hook, "a `plugin.json` at the plugin's root switches its hooks off in Codex")
        return ()
    return hooks


def _hooks_grant(draft: Draft) -> Grant:
    """Return the trust in the plugin's hooks: without entries if it is not known what Codex would write down."""
    try:
        trust = hook_trust(draft)
    except TrustUnknown:
        return Grant("hooks", _BY_HAND)
    entries = [
        SettingsEntry("config.toml", FileSyntax.TOML, ("hooks", "state", key), value) for key, value in trust.items()
    ]
    return Grant("hooks", _TRUST, tuple(entries))


def _add_manifest(draft: Draft, hooks: tuple[Component, ...]) -> None:
    """Add a manifest that names every part: in Codex its paths replace the default folders."""
    manifest = basic_manifest(draft)
    folders = [posixpath.dirname(skill.path) for skill in draft.of(ComponentKind.SKILL)]
    if folders:
        parents = dict.fromkeys(posixpath.dirname(folder) or folder for folder in folders)
        manifest["skills"] = [f"./{parent}/" if parent else "./" for parent in parents]
    if hooks:
        path = f"{_FOLDER}/hooks.json"
        groups = hook_groups(draft.contents, hooks, CODEX, _HOOK_ROOT)
        draft.add(path, json_file({"hooks": dict(groups)}))
        manifest["hooks"] = f"./{path}"
    servers = draft.of(ComponentKind.MCP_SERVER)
    if servers:
        path = f"{_FOLDER}/mcp.json"
        draft.add(path, json_file({"mcpServers": {server.name: _server(draft, server) for server in servers}}))
        manifest["mcpServers"] = f"./{path}"
    draft.add(_MANIFEST, json_file(manifest))


def _server(draft: Draft, server: Component) -> JSON:
    """Return a server's entry. Codex sets no variable and expands none: paths are relative to the plugin's folder."""
    relative = any(ROOT.search(text) or text.startswith("./") for text in _texts(dict(server.data)))
    entry = server_entry(server, ".", draft.has)
    if relative:
        entry.setdefault("cwd", ".")
    if any("${" in text for text in _texts(entry)):
        message = f"Codex replaces no variable in the entry of the MCP server {server.name}"
        draft.note("mcp-variable", Severity.WARNING, server.path, message)
    return entry


def _check_servers(draft: Draft) -> None:
    """Say which servers of the plugin's own files Codex will not start."""
    for server in draft.of(ComponentKind.MCP_SERVER):
        if any(ROOT.search(text) for text in _texts(dict(server.data))):
            draft.cannot(
                server, "Codex replaces no variable in a plugin's own entry: write paths from the plugin's folder"
            )


def _texts(value: JSON) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _subagents(draft: Draft) -> Iterator[PlacedFile]:
    for subagent in draft.of(ComponentKind.SUBAGENT):
        if subagent.data.get("tools"):
            message = "Codex gives a subagent all tools: it does not know `tools`"
            draft.note("subagent-tools", Severity.WARNING, subagent.path, message)
        fields = {
            "name": subagent.name,
            "description": subagent.description or subagent.name,
            "developer_instructions": body_of(draft.read(subagent.path) or b""),
        }
        yield PlacedFile(f"agents/{draft.name}-{plain_word(subagent.name)}.toml", toml(fields))


def _overridden(state: TargetState) -> tuple[ContentFinding, ...]:
    override = state.paths.get(_OVERRIDE)
    if override is None or override.kind is PathKind.ABSENT:
        return ()
    message = "Codex reads this file instead of `AGENTS.md`: it will not see the plugin's rules"
    return (ContentFinding("rule-overridden", Severity.WARNING, _OVERRIDE, message, runtime=CODEX.name),)


def _question(draft: Draft) -> Question:
    names = [str(skill.data.get("name") or skill.name) for skill in draft.of(ComponentKind.SKILL)]

    def read(answer: Answer) -> Seen:
        text = text_answer(answer)
        if isinstance(text, Seen):
            return text
        if not names:
            return Seen(SeenState.UNKNOWN, "Codex shows the skills of a plugin alone, and it has none")
        if all(re.search(rf"(?<![\w.-]){re.escape(f'{draft.name}:{name}')}(?![\w.-])", text) for name in names):
            return Seen(SeenState.YES)
        return Seen(SeenState.NO, "Codex does not show every skill of the plugin")

    return Question(("codex", "debug", "prompt-input", "hi"), read, agent_environment(CODEX, draft.target))


provider = CodexLayout()
