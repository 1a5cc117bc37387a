"""The layout `hermes`: skills by a link, rules in `SOUL.md`, hooks and MCP servers in `config.yaml`."""

from __future__ import annotations

import re
import shlex
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
    hookimpl,
)
from .answers import text_answer
from .conversion import canonical_event, matcher_of, server_entry, timeout_of, with_root, without_cwd
from .draft import Draft, draft_for
from .environment import agent_environment
from .shared import link_skills, memory_text
from .tables import HERMES

_CONFIG: Final = "config.yaml"
_APPROVALS: Final = "shell-hooks-allowlist.json"
_MATCHED: Final = frozenset({"pre_tool_call", "post_tool_call"})


class HermesLayout:
    """Lays a plugin out for Hermes Agent."""

    layouts = ("hermes",)
    config_dirs = MappingProxyType({"hermes": HERMES.folder})

    @hookimpl
    def lay_out(self, contents: Contents, target: LayoutTarget) -> Activation:
        """Return the link, the text and the entries. Raises `ActivationImpossible` for its names."""
        draft = draft_for(HERMES, contents, target)
        # Hermes keeps what it read by path, size and time, and every delivered file has the same time.
        link_skills(draft, f"{draft.name}-{target.digest.removeprefix('sha256:')[:8]}")
        draft.texts += memory_text(draft, "SOUL.md")
        for server in draft.of(ComponentKind.MCP_SERVER):
            entry = without_cwd(server_entry(server, draft.root, draft.has))
            draft.enter(_CONFIG, FileSyntax.YAML, ("mcp_servers", f"{draft.name}-{server.name}"), entry)
        _enter_hooks(draft)
        return draft.build(_question(draft))


def _enter_hooks(draft: Draft) -> None:
    """Add the hooks, and the approval that Hermes wants of each, as a grant."""
    approvals = []
    for hook in draft.usable_hooks():
        entry = _hook_entry(draft, hook)
        if entry is None:
            draft.cannot(hook, "Hermes runs commands alone")
            continue
        event = HERMES.events[canonical_event(hook) or ""]
        draft.enter(_CONFIG, FileSyntax.YAML, ("hooks", event), entry, append=True)
        approved: dict[str, JSON] = {"event": event, "command": entry["command"]}
        approvals.append(SettingsEntry(_APPROVALS, FileSyntax.JSON, ("approvals",), approved, append=True))
    if approvals:
        why = "Hermes runs a hook only after somebody approved its command."
        draft.grants.append(Grant("hooks", why, tuple(approvals)))


def _hook_entry(draft: Draft, hook: Component) -> dict[str, JSON] | None:
    """Return a hook as Hermes reads it: it splits the command into words and runs it without a shell."""
    command = hook.data.get("command")
    if not isinstance(command, str):
        return None
    variables = f'CLAUDE_PLUGIN_ROOT="{draft.root}" PLUGIN_ROOT="{draft.root}"'
    entry: dict[str, JSON] = {"command": f"env {variables} sh -c {shlex.quote(str(with_root(command, draft.root)))}"}
    matcher = matcher_of(hook, HERMES.tools)
    if matcher not in {None, "", "*"} and HERMES.events[canonical_event(hook) or ""] in _MATCHED:
        entry["matcher"] = matcher
    seconds = timeout_of(draft.contents, hook)
    if seconds is not None:
        entry["timeout"] = max(1, round(seconds))
    return entry


def _question(draft: Draft) -> Question:
    names = [str(skill.data.get("name") or skill.name) for skill in draft.of(ComponentKind.SKILL)]

    def read(answer: Answer) -> Seen:
        text = text_answer(answer)
        if isinstance(text, Seen):
            return text
        words = set(re.findall(r"[\w.…-]+", text))
        if not names:
            return Seen(SeenState.UNKNOWN, "Hermes lists skills alone, and the plugin has none")
        if all(_listed(name, words) for name in names):
            return Seen(SeenState.YES)
        return Seen(SeenState.NO, "Hermes does not list every skill of the plugin")

    return Question(("hermes", "skills", "list"), read, agent_environment(HERMES, draft.target))


def _listed(name: str, words: set[str]) -> bool:
    """Return whether a name stands in the table, in which long ones end with an ellipsis."""
    return name in words or any(word.endswith("…") and len(word) > 3 and name.startswith(word[:-1]) for word in words)


provider = HermesLayout()
