"""The layout `gemini-cli`: the plugin is an extension, by a link in `extensions/`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from ...hookspecs import (
    JSON,
    Activation,
    Answer,
    Component,
    ComponentKind,
    Contents,
    Grant,
    LayoutTarget,
    PlacedFile,
    Question,
    Seen,
    SeenState,
    hookimpl,
)
from .answers import first_lines, text_answer
from .conversion import root_variables, tool_name
from .draft import Draft, draft_for
from .environment import agent_environment
from .extension import ExtensionRules, lay_out_extension
from .tables import GEMINI_CLI

_SUBAGENT_KEYS: Final = frozenset(
    {"name", "description", "kind", "tools", "temperature", "max_turns", "timeout_mins"}
)


class GeminiCliLayout:
    """Lays a plugin out for Gemini CLI."""

    layouts = ("gemini-cli",)
    config_dirs = MappingProxyType({"gemini-cli": GEMINI_CLI.folder})

    @hookimpl
    def lay_out(self, contents: Contents, target: LayoutTarget) -> Activation:
        """Return the link and the manifest. Raises `ActivationImpossible` for a name that Gemini CLI refuses."""
        draft = draft_for(GEMINI_CLI, contents, target)
        others = lay_out_extension(draft, _RULES)
        _add_grants(draft)
        return draft.build(extension_question("gemini", draft), others.query, others.check, others.look_again)


def _subagent(subagent: Component) -> tuple[dict[str, JSON], bool]:
    """Return the front matter that Gemini CLI takes, and whether the subagent's own is that.

    It refuses unknown keys, and tools that are not a list of its own names.
    """
    fields: dict[str, JSON] = {"name": subagent.name, "description": subagent.description or subagent.name}
    tools = subagent.data.get("tools")
    names = re.split(r"[,\s]+", tools) if isinstance(tools, str) else tools
    known = [tool_name(str(name), GEMINI_CLI.tools) for name in names] if isinstance(names, list | tuple) else []
    usable = [name for name in dict.fromkeys(known) if name in GEMINI_CLI.tools.values() or name.startswith("mcp_")]
    fields |= {"tools": list(usable)} if usable else {}
    fits = tools is None or (isinstance(tools, list | tuple) and list(tools) == usable)
    return fields, fits and subagent.path.startswith("agents/") and set(subagent.data) <= _SUBAGENT_KEYS


def _foreign_hook(hook: Component) -> bool:
    """Return whether Gemini CLI would misread a hook in the plugin's own `hooks/hooks.json`: another event, or the
    plugin's folder in a variable that it does not set."""
    foreign = root_variables(hook) - {"extensionPath"}
    own = str(hook.data.get("event", "")) in GEMINI_CLI.events.values()
    return hook.path == "hooks/hooks.json" and (bool(foreign) or not own)


_RULES: Final = ExtensionRules("gemini-extension.json", ".gemini-extension", True, _subagent, _foreign_hook)


def _add_grants(draft: Draft) -> None:
    servers = draft.of(ComponentKind.MCP_SERVER)
    if servers:
        why = "Without a person, Gemini CLI gives the model no tool of an MCP server."
        rules = [f'toolName = "*"\nmcpName = {json.dumps(server.name)}\n' for server in servers]
        draft.grants.append(Grant("mcp-tools", why, files=(_policy(draft, "", rules),)))
    if draft.of(ComponentKind.SKILL):
        why = "Without a person, Gemini CLI does not let the model activate a skill."
        rules = ['toolName = "activate_skill"\n']
        draft.grants.append(Grant("skills", why, files=(_policy(draft, "-skills", rules),)))


def _policy(draft: Draft, suffix: str, rules: Iterable[str]) -> PlacedFile:
    text = "".join(f'[[rule]]\n{rule}decision = "allow"\npriority = 100\n' for rule in rules)
    return PlacedFile(f"policies/plugport-{draft.name}{suffix}.toml", text.encode())


def extension_question(command: str, draft: Draft) -> Question:
    """Return the question for a runtime whose command `extensions list` names each extension with a tick."""
    title = draft.runtime.title

    def read(answer: Answer) -> Seen:
        text = text_answer(answer)
        if isinstance(text, Seen):
            return text
        lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
        complaints = [line for line in lines if re.search(rf"\b{re.escape(draft.name)}\b", line) and "rror" in line]
        complaint = first_lines("\n".join(complaints)) or None
        for line in lines:
            match = re.match(r"\s*([✓✗])\s+(\S+)\s+\(", line)
            if match and match[2] == draft.name:
                if match[1] == "✓":
                    return Seen(SeenState.YES, complaint=complaint)
                return Seen(SeenState.NO, f"{title} has the extension switched off", complaint)
        return Seen(SeenState.NO, f"{title} does not list the extension", complaint)

    return Question((command, "extensions", "list"), read, agent_environment(draft.runtime, draft.target))


provider = GeminiCliLayout()
