"""The layout `claude-code`: the plugin is a link in `skills/`, its rules a link in `rules/`.

Claude Code reads such a plugin without any entry in a settings file (`<plugin>@skills-dir`), and its own commands
`plugin update` and `plugin uninstall` do not touch it.
"""

from __future__ import annotations

import posixpath
from types import MappingProxyType
from typing import Final

from ...hookspecs import (
    JSON,
    Activation,
    Answer,
    Component,
    ComponentKind,
    Contents,
    FileSyntax,
    Grant,
    LayoutTarget,
    Question,
    Seen,
    SeenState,
    SettingsEntry,
    Severity,
    hookimpl,
)
from .answers import first_lines, json_answer
from .conversion import hook_groups, json_file, root_variables, server_entry
from .draft import Draft, draft_for
from .environment import agent_environment
from .shared import basic_manifest, markdown_path, starts_in_folder
from .tables import CLAUDE_CODE

_MANIFEST: Final = ".claude-plugin/plugin.json"
_ROOT: Final = "${CLAUDE_PLUGIN_ROOT}"


class ClaudeCodeLayout:
    """Lays a plugin out for Claude Code."""

    layouts = ("claude-code",)
    config_dirs = MappingProxyType({"claude-code": CLAUDE_CODE.folder})

    @hookimpl
    def lay_out(self, contents: Contents, target: LayoutTarget) -> Activation:
        """Return the links, and a manifest if the plugin has none. Raises `ActivationImpossible` for its names."""
        draft = draft_for(CLAUDE_CODE, contents, target)
        hooks = draft.usable_hooks()
        if not draft.has(_MANIFEST):
            draft.add(_MANIFEST, json_file(_manifest(draft, hooks)))
        draft.link(f"skills/{draft.name}")
        _link_rules(draft)
        _check_files(draft)
        servers = draft.of(ComponentKind.MCP_SERVER)
        if servers:
            draft.grants.append(_tools_grant(draft, servers))
        return draft.build(_question(target))


def _manifest(draft: Draft, hooks: tuple[Component, ...]) -> dict[str, JSON]:
    """Return a manifest that names what Claude Code would not find in its default folders.

    In it `skills`, `hooks` and `mcpServers` add to the default folders; `commands` and `agents` replace them.
    """
    contents = draft.contents
    manifest = basic_manifest(draft)
    folders = [posixpath.dirname(skill.path) for skill in draft.of(ComponentKind.SKILL)]
    if added := [f"./{folder}" for folder in folders if folder and posixpath.dirname(folder) != "skills"]:
        manifest["skills"] = list(added)
    for key, kind, folder in (
        ("commands", ComponentKind.COMMAND, "commands"),
        ("agents", ComponentKind.SUBAGENT, "agents"),
    ):
        paths = [markdown_path(draft, component, folder) for component in draft.of(kind)]
        if any(not path.startswith(f"{folder}/") for path in paths):
            manifest[key] = [f"./{path}" for path in dict.fromkeys(paths)]
    added_hooks = [hook for hook in hooks if hook.path != "hooks/hooks.json" or _foreign(hook)]
    if added_hooks:
        groups = hook_groups(contents, added_hooks, CLAUDE_CODE, _ROOT)
        manifest["hooks"] = dict(groups)
    servers = [
        server
        for server in draft.of(ComponentKind.MCP_SERVER)
        if server.path != ".mcp.json" or starts_in_folder(server)
    ]
    if servers:
        manifest["mcpServers"] = {server.name: server_entry(server, _ROOT, draft.has) for server in servers}
    return manifest


def _foreign(hook: Component) -> bool:
    """Return whether a hook is another runtime's: its event, or how it names the plugin's folder."""
    foreign = root_variables(hook) - {"CLAUDE_PLUGIN_ROOT"}
    return bool(foreign) or str(hook.data.get("event", "")) not in CLAUDE_CODE.events


def _link_rules(draft: Draft) -> None:
    """Link the folder `rules/`, or each rule if one lies elsewhere: Claude Code reads no rules in a plugin."""
    rules = draft.of(ComponentKind.RULE)
    if rules and all(rule.path.startswith("rules/") for rule in rules):
        draft.link(f"rules/{draft.name}", "rules")
    else:
        for rule in rules:
            draft.link(f"rules/{draft.name}/{rule.path.replace('/', '-')}", rule.path)


def _check_files(draft: Draft) -> None:
    for component in draft.of(ComponentKind.SUBAGENT):
        if (draft.read(component.path) or b"").startswith(b"\xef\xbb\xbf"):
            draft.note(
                "subagent-bom",
                Severity.ERROR,
                component.path,
                "Claude Code passes a subagent with a byte order mark over",
            )
    foreign = next(
        (hook for hook in draft.of(ComponentKind.HOOK) if hook.path == "hooks/hooks.json" and _foreign(hook)), None
    )
    if foreign is not None:
        message = "Claude Code refuses this file: it has events of another runtime. They are in the manifest instead"
        draft.note("hook-event", Severity.WARNING, foreign.path, message)


def _tools_grant(draft: Draft, servers: tuple[Component, ...]) -> Grant:
    names = [f"mcp__plugin_{_word(draft.name)}_{_word(server.name)}" for server in servers]
    entries = [
        SettingsEntry("settings.json", FileSyntax.JSON, ("permissions", "allow"), name, append=True) for name in names
    ]
    return Grant(
        "mcp-tools", "Without a person, Claude Code refuses the tools of a plugin's MCP servers.", tuple(entries)
    )


def _word(text: str) -> str:
    return "".join(letter if (letter.isalnum() and letter.isascii()) or letter in "_-" else "_" for letter in text)


def _question(target: LayoutTarget) -> Question:
    def read(answer: Answer) -> Seen:
        plugins = json_answer(answer, list)
        if isinstance(plugins, Seen):
            return plugins
        for plugin in plugins:
            if isinstance(plugin, dict) and _is(plugin, target.name):
                complaint = first_lines("\n".join(str(error) for error in plugin.get("errors") or ())) or None
                if plugin.get("enabled") is True and plugin.get("installPath"):
                    return Seen(SeenState.YES, complaint=complaint)
                return Seen(SeenState.NO, "Claude Code lists the plugin, but did not load it", complaint)
        return Seen(SeenState.NO, "Claude Code does not list the plugin")

    return Question(("claude", "plugin", "list", "--json"), read, agent_environment(CLAUDE_CODE, target))


def _is(plugin: dict[str, JSON], name: str) -> bool:
    path = str(plugin.get("installPath") or "")
    return path.endswith(f"/skills/{name}") if path else plugin.get("id") == f"{name}@skills-dir"


provider = ClaudeCodeLayout()
