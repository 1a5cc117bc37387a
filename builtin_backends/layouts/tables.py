"""What each runtime takes, as data: the layouts, the checks of a plugin and the documentation read it.

Everything here was seen in the real program, in the version that `Runtime.version` names (tests/runtimes).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ...hookspecs import ComponentKind, TakesEffect
from .runtime import PluginNames, Runtime, SkillRules

_NO_SETTINGS: Final = "a plugin's settings are a person's to decide: copy what you want of them"
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9-]+")

CLAUDE_EVENTS: Final = (
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PostToolBatch",
    "Notification",
    "UserPromptSubmit",
    "UserPromptExpansion",
    "SessionStart",
    "SessionEnd",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "PermissionRequest",
    "PermissionDenied",
    "Setup",
    "TeammateIdle",
    "TaskCreated",
    "TaskCompleted",
    "Elicitation",
    "ElicitationResult",
    "ConfigChange",
    "WorktreeCreate",
    "WorktreeRemove",
    "InstructionsLoaded",
    "CwdChanged",
    "FileChanged",
    "MessageDisplay",
)
"""The events of Claude Code's hooks. Another event in a plugin's `hooks.json` makes it refuse the whole plugin."""


def _same(*events: str) -> Mapping[str, str]:
    """Return the events of a runtime that calls them as Claude Code does."""
    return MappingProxyType({event: event for event in events})


CLAUDE_CODE: Final = Runtime(
    name="claude-code",
    title="Claude Code",
    version="2.1.197",
    folder="~/.claude",
    moved_by="CLAUDE_CONFIG_DIR",
    places={
        ComponentKind.SKILL: "the link `skills/<plugin>`, as `<plugin>:<skill>`",
        ComponentKind.RULE: "the link `rules/<plugin>`",
        ComponentKind.COMMAND: "the plugin's, as `/<plugin>:<command>`",
        ComponentKind.SUBAGENT: "the plugin's, as `<plugin>:<subagent>`",
        ComponentKind.HOOK: "the plugin's",
        ComponentKind.MCP_SERVER: "the plugin's, as `plugin:<plugin>:<server>`",
    },
    reload="`/reload-plugins` in a running session, `/clear` for rules",
    effect=TakesEffect.ON_COMMAND,
    skills=SkillRules(refuses=frozenset({"bom", "tab", "list"}), cut_at=1536),
    names=PluginNames(reserved=frozenset({"cache", "data", "marketplaces", "native"})),
    missing={ComponentKind.SETTINGS: _NO_SETTINGS},
    events=_same(*CLAUDE_EVENTS),
)


CODEX: Final = Runtime(
    name="codex",
    title="Codex",
    version="0.171.0",
    folder="~/.codex",
    moved_by="CODEX_HOME",
    places={
        ComponentKind.SKILL: "a copy of the plugin in `plugins/cache/plugport/`, as `<plugin>:<skill>`",
        ComponentKind.RULE: "text in `AGENTS.md`",
        ComponentKind.SUBAGENT: "`agents/<plugin>-<subagent>.toml`",
        ComponentKind.HOOK: "the plugin's copy; it runs once it is trusted",
        ComponentKind.MCP_SERVER: "the plugin's copy",
    },
    missing={
        ComponentKind.COMMAND: "Codex has no commands of plugins",
        ComponentKind.SETTINGS: _NO_SETTINGS,
    },
    reload="the next session reads it, also of a server that runs",
    restarts=False,
    skills=SkillRules(
        needs=frozenset({"front-matter", "description"}),
        refuses=frozenset({"bom", "tab", "twice", "list", "latin-1"}),
        longest_name=64,
        cut_at=1024,
    ),
    names=PluginNames(reserved=frozenset({"cache", "data"})),
    events=_same(
        "PreToolUse",
        "PermissionRequest",
        "PostToolUse",
        "PreCompact",
        "PostCompact",
        "SessionStart",
        "SessionEnd",
        "UserPromptSubmit",
        "SubagentStart",
        "SubagentStop",
        "Stop",
    ),
)

GEMINI_CLI: Final = Runtime(
    name="gemini-cli",
    title="Gemini CLI",
    version="0.61.0",
    folder="~/.gemini",
    moved_by="GEMINI_CLI_HOME",
    moved_above=1,
    places={
        ComponentKind.SKILL: "the link `extensions/<plugin>`, else a link in `skills/`",
        ComponentKind.RULE: "the extension's context files",
        ComponentKind.COMMAND: "the extension's, converted to TOML",
        ComponentKind.SUBAGENT: "the extension's, converted",
        ComponentKind.HOOK: "the extension's, converted",
        ComponentKind.MCP_SERVER: "the extension's",
    },
    missing={ComponentKind.SETTINGS: _NO_SETTINGS},
    reload="`/skills reload` and `/memory reload` for what is there already, else the next start",
    skills=SkillRules(
        needs=frozenset({"front-matter", "description", "name"}),
        refuses=frozenset({"bom"}),
    ),
    names=PluginNames(_PLAIN_NAME, "letters, digits and dashes"),
    events={
        "PreToolUse": "BeforeTool",
        "PostToolUse": "AfterTool",
        "UserPromptSubmit": "BeforeAgent",
        "Stop": "AfterAgent",
        "SessionStart": "SessionStart",
        "SessionEnd": "SessionEnd",
        "PreCompact": "PreCompress",
        "Notification": "Notification",
        "BeforeModel": "BeforeModel",
        "AfterModel": "AfterModel",
        "BeforeToolSelection": "BeforeToolSelection",
    },
    tools={
        "Bash": "run_shell_command",
        "Read": "read_file",
        "Write": "write_file",
        "Edit": "replace",
        "MultiEdit": "replace",
        "Glob": "glob",
        "Grep": "grep_search",
        "LS": "list_directory",
        "WebFetch": "web_fetch",
        "WebSearch": "google_web_search",
        "TodoWrite": "write_todos",
    },
    milliseconds=True,
)

QWEN_CODE: Final = Runtime(
    name="qwen-code",
    title="Qwen Code",
    version="0.24.4",
    folder="~/.qwen",
    moved_by="QWEN_HOME",
    places={
        ComponentKind.SKILL: "the link `extensions/<plugin>`, else a link in `skills/`",
        ComponentKind.RULE: "the extension's context files",
        ComponentKind.COMMAND: "the extension's",
        ComponentKind.SUBAGENT: "the extension's",
        ComponentKind.HOOK: "the extension's",
        ComponentKind.MCP_SERVER: "the extension's",
    },
    missing={ComponentKind.SETTINGS: _NO_SETTINGS},
    reload="the next start",
    skills=SkillRules(
        needs=frozenset({"front-matter", "description", "name"}),
        refuses=frozenset({"space"}),
    ),
    names=PluginNames(_PLAIN_NAME, "letters, digits and dashes"),
    events=_same(
        "PreToolUse",
        "PostToolUse",
        "PostToolUseFailure",
        "PostToolBatch",
        "Notification",
        "UserPromptSubmit",
        "UserPromptExpansion",
        "SessionStart",
        "SessionEnd",
        "Stop",
        "StopFailure",
        "SubagentStart",
        "SubagentStop",
        "PreCompact",
        "PostCompact",
        "PermissionRequest",
        "PermissionDenied",
        "InstructionsLoaded",
        "MessageDisplay",
    ),
    tools=GEMINI_CLI.tools,
)

COPILOT: Final = Runtime(
    name="copilot",
    title="Copilot CLI",
    version="1.0.102",
    folder="~/.copilot",
    moved_by="COPILOT_HOME",
    places={
        ComponentKind.SKILL: "the marketplace `plugins/`, by keys in `settings.json`",
        ComponentKind.RULE: "`instructions/<plugin>.instructions.md`",
        ComponentKind.COMMAND: "the plugin's, shown as skills",
        ComponentKind.SUBAGENT: "the plugin's",
        ComponentKind.HOOK: "the plugin's",
        ComponentKind.MCP_SERVER: "the plugin's",
    },
    missing={ComponentKind.SETTINGS: _NO_SETTINGS},
    reload="the next start",
    skills=SkillRules(
        needs=frozenset({"front-matter"}),
        refuses=frozenset({"colon", "tab", "twice", "list", "non-ascii"}),
        longest_name=64,
        longest_description=1024,
    ),
    events=_same(
        "PreToolUse",
        "PostToolUse",
        "UserPromptSubmit",
        "SessionStart",
        "SessionEnd",
        "Stop",
        "SubagentStart",
        "SubagentStop",
        "PreCompact",
        "Notification",
        "PermissionRequest",
    ),
)

OPENCODE: Final = Runtime(
    name="opencode",
    title="opencode",
    version="1.18.33",
    folder="~/.config/opencode",
    moved_by="XDG_CONFIG_HOME",
    moved_above=1,
    places={
        ComponentKind.SKILL: "the link `skills/<plugin>`",
        ComponentKind.RULE: "`instructions` in `opencode.json`",
        ComponentKind.COMMAND: "`commands/<plugin>/`, as `/<plugin>/<command>`",
        ComponentKind.SUBAGENT: "`agents/<plugin>/`, as `<plugin>/<subagent>`",
        ComponentKind.HOOK: "`plugins/<plugin>.js`, which runs them",
        ComponentKind.MCP_SERVER: "`mcp` in `opencode.json`, as `<plugin>-<server>`",
    },
    missing={ComponentKind.SETTINGS: _NO_SETTINGS},
    reload="the next start",
    skills=SkillRules(
        needs=frozenset({"front-matter", "description", "name"}),
        refuses=frozenset({"twice", "list"}),
    ),
    events={
        "PreToolUse": "tool.execute.before",
        "PostToolUse": "tool.execute.after",
        "UserPromptSubmit": "chat.message",
        "SessionStart": "session.created",
        "SessionEnd": "session.deleted",
        "PreCompact": "session.compacted",
        "Stop": "session.idle",
    },
    tools={
        "Bash": "bash",
        "Read": "read",
        "Write": "write",
        "Edit": "edit",
        "MultiEdit": "edit",
        "Glob": "glob",
        "Grep": "grep",
        "LS": "list",
        "WebFetch": "webfetch",
        "WebSearch": "websearch",
        "TodoWrite": "todowrite",
        "Task": "task",
    },
)

HERMES: Final = Runtime(
    name="hermes",
    title="Hermes Agent",
    version="0.19.0",
    folder="~/.hermes",
    moved_by="HERMES_HOME",
    places={
        ComponentKind.SKILL: "the link `skills/<plugin>-<start of its digest>`",
        ComponentKind.RULE: "text in `SOUL.md`",
        ComponentKind.HOOK: "`hooks` in `config.yaml`; they run once they are approved",
        ComponentKind.MCP_SERVER: "`mcp_servers` in `config.yaml`, as `<plugin>-<server>`; needs the package `mcp`",
    },
    missing={
        ComponentKind.COMMAND: "Hermes has no commands of plugins",
        ComponentKind.SUBAGENT: "Hermes has no subagents of plugins",
        ComponentKind.SETTINGS: _NO_SETTINGS,
    },
    reload="the next start",
    skills=SkillRules(
        needs=frozenset({"front-matter", "description"}),
        refuses=frozenset({"latin-1"}),
        cut_at=60,
    ),
    events={
        "PreToolUse": "pre_tool_call",
        "PostToolUse": "post_tool_call",
        "UserPromptSubmit": "pre_llm_call",
        "SessionStart": "on_session_start",
        "SessionEnd": "on_session_finalize",
        "Stop": "on_session_end",
        "SubagentStart": "subagent_start",
        "SubagentStop": "subagent_stop",
    },
    tools={"Bash": "terminal", "Read": "read_file", "Write": "write_file", "Edit": "patch", "Grep": "search_files"},
)

AGENTS: Final = Runtime(
    name="agents",
    title="`.agents/skills`",
    version="agentskills.io",
    folder="~/.agents",
    moved_by="HOME",
    moved_above=1,
    places={ComponentKind.SKILL: "a link in `skills/` for each"},
    missing={
        kind: "the folder `.agents` has skills alone"
        for kind in ComponentKind
        if kind not in {ComponentKind.SKILL, ComponentKind.ASSET}
    },
    reload="by the agent that reads the folder",
    skills=SkillRules(
        needs=frozenset({"front-matter", "description", "name"}),
        refuses=frozenset({"bom", "colon", "tab", "twice", "list", "space", "non-ascii", "latin-1"}),
        longest_name=64,
        longest_description=1024,
    ),
)

MILLISECOND_FORMATS: Final = frozenset({"gemini"})
"""The formats that write a hook's timeout in milliseconds; the others write seconds."""

RUNTIMES: Final = (CLAUDE_CODE, CODEX, GEMINI_CLI, QWEN_CODE, COPILOT, OPENCODE, HERMES, AGENTS)
"""Every runtime with a layout of its own, in the order of the documentation."""

CANONICAL_EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {own: canonical for runtime in reversed(RUNTIMES) for canonical, own in runtime.events.items()}
)
"""The name of a hook's event in each runtime, to Claude Code's."""

CANONICAL_TOOLS: Final[Mapping[str, str]] = MappingProxyType(
    {
        own: canonical
        for runtime in reversed(RUNTIMES)
        for canonical, own in runtime.tools.items()
        if canonical != "MultiEdit"
    }
)
"""The name of a tool in each runtime, to Claude Code's."""
