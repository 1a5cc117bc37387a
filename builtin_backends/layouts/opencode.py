"""The layout `opencode`: skills by a link, commands and subagents as files, the rest in `opencode.json`.

opencode reads no plugin of files. Its own plugins are programs: hooks run through one that plugport writes.
"""

from __future__ import annotations

import json
import re
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
    LayoutTarget,
    PlacedFile,
    Question,
    Seen,
    SeenState,
    hookimpl,
)
from .answers import text_answer
from .conversion import (
    body_of,
    canonical_event,
    command_prompt,
    markdown,
    matcher_of,
    server_entry,
    timeout_of,
    tool_name,
    with_root,
    without_cwd,
)
from .draft import Draft, draft_for, file_stem
from .environment import agent_environment
from .opencode_hooks import hooks_program
from .shared import link_skills
from .tables import OPENCODE

_CONFIG: Final = "opencode.json"
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-[^}]*)?\}")


class OpencodeLayout:
    """Lays a plugin out for opencode."""

    layouts = ("opencode",)
    config_dirs = MappingProxyType({"opencode": OPENCODE.folder})

    @hookimpl
    def lay_out(self, contents: Contents, target: LayoutTarget) -> Activation:
        """Return the link, the files and the entries. Raises `ActivationImpossible` for its names."""
        draft = draft_for(OPENCODE, contents, target)
        link_skills(draft, draft.name)
        for rule in draft.of(ComponentKind.RULE):
            place = f"{draft.root}/{rule.path}"
            draft.enter(_CONFIG, FileSyntax.JSONC, ("instructions",), place, append=True)
        for server in draft.of(ComponentKind.MCP_SERVER):
            draft.enter(_CONFIG, FileSyntax.JSONC, ("mcp", f"{draft.name}-{server.name}"), _server(draft, server))
        _add_commands(draft)
        _add_subagents(draft)
        _add_hooks(draft)
        return draft.build(_question(draft))


def _server(draft: Draft, server: Component) -> JSON:
    """Return a server's entry in opencode's shape; variables of the environment are written `{env:NAME}` in it."""
    entry = without_cwd(server_entry(server, draft.root, draft.has))
    if "command" in entry:
        arguments, variables = entry.get("args"), entry.get("env")
        command = [entry["command"], *(arguments if isinstance(arguments, list) else [])]
        local: dict[str, JSON] = {"type": "local", "command": command, "enabled": True}
        return _with_variables(local | ({"environment": variables} if variables else {}))
    remote: dict[str, JSON] = {
        "type": "remote",
        "url": entry.get("url") or entry.get("httpUrl") or "",
        "enabled": True,
    }
    return _with_variables(remote | ({"headers": entry["headers"]} if entry.get("headers") else {}))


def _with_variables(value: JSON) -> JSON:
    if isinstance(value, str):
        return _VARIABLE.sub(
            lambda match: match[0] if match[1] in {"config_dir", "home"} else f"{{env:{match[1]}}}", value
        )
    if isinstance(value, dict):
        return {key: _with_variables(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_variables(inner) for inner in value]
    return value


def _add_commands(draft: Draft) -> None:
    for command in draft.of(ComponentKind.COMMAND):
        try:
            description, prompt = command_prompt(command, draft.read(command.path) or b"")
        except ValueError:
            draft.cannot(command, "its TOML cannot be read")
            continue
        fields: dict[str, JSON] = {"description": description} if description else {}
        path = f"commands/{draft.name}/{file_stem(command, 'commands/')}.md"
        draft.files.append(PlacedFile(path, markdown(fields, prompt)))


def _add_subagents(draft: Draft) -> None:
    for subagent in draft.of(ComponentKind.SUBAGENT):
        fields: dict[str, JSON] = {"description": subagent.description or subagent.name, "mode": "subagent"}
        tools = subagent.data.get("tools")
        names = re.split(r"[,\s]+", tools) if isinstance(tools, str) else tools
        if isinstance(names, list | tuple) and names:
            known = [tool_name(str(name), OPENCODE.tools) for name in names]
            allowed = [name for name in dict.fromkeys(known) if name in OPENCODE.tools.values()]
            fields["tools"] = {"*": False, **dict.fromkeys(allowed, True)}
        body = body_of(draft.read(subagent.path) or b"")
        path = f"agents/{draft.name}/{file_stem(subagent, 'agents/')}.md"
        draft.files.append(PlacedFile(path, markdown(fields, body)))


def _add_hooks(draft: Draft) -> None:
    """Add the program that runs the hooks. It finds the plugin's directory beside itself."""
    hooks: list[JSON] = []
    for hook in draft.usable_hooks():
        command = hook.data.get("command")
        if not isinstance(command, str):
            draft.cannot(hook, "the program that plugport writes runs commands alone")
            continue
        canonical = canonical_event(hook) or ""
        hooks.append(
            {
                "name": canonical,
                "event": OPENCODE.events[canonical],
                "matcher": matcher_of(hook, OPENCODE.tools),
                "command": with_root(command, "${CLAUDE_PLUGIN_ROOT}"),
                "seconds": timeout_of(draft.contents, hook) or 60,
            }
        )
    if hooks:
        draft.files.append(PlacedFile(f"plugins/{draft.name}.js", hooks_program(draft.name, hooks)))


def _question(draft: Draft) -> Question:
    names = {str(skill.data.get("name") or skill.name) for skill in draft.of(ComponentKind.SKILL)}

    def read(answer: Answer) -> Seen:
        text = text_answer(answer)
        if isinstance(text, Seen):
            return text
        if not names:
            return Seen(SeenState.UNKNOWN, "opencode lists skills alone, and the plugin has none")
        try:
            listed = json.loads(answer.output)
        except (ValueError, RecursionError):
            return Seen(SeenState.UNKNOWN, "opencode printed no JSON")
        ours = re.compile(rf"/(?:skills/{re.escape(draft.name)}(?:-[^/]*)?|plugins/{re.escape(draft.name)})/")
        skills = [skill for skill in listed if isinstance(skill, dict)] if isinstance(listed, list) else []
        seen = {str(skill.get("name")) for skill in skills if ours.search(str(skill.get("location")))}
        if names <= seen:
            return Seen(SeenState.YES)
        return Seen(SeenState.NO, "opencode does not list every skill of the plugin")

    return Question(("opencode", "debug", "skill"), read, agent_environment(OPENCODE, draft.target))


provider = OpencodeLayout()
