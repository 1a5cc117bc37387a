"""The layout `adaptor`: nothing beside the plugin's directory. The runtime's own adaptor reads it at start-up."""

from __future__ import annotations

import posixpath
from typing import Final

from ...hookspecs import (
    Activation,
    Component,
    ComponentKind,
    ContentFinding,
    Contents,
    LayoutTarget,
    Severity,
    Unsupported,
    hookimpl,
)
from .draft import label

_CONTRIBUTORS: Final = ("AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md", "GEMINI.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
_FRAGMENT: Final = "settings-fragment.json"


class AdaptorLayout:
    """Leaves everything to the adaptor, and says what it will pass over."""

    layouts = ("adaptor",)

    @hookimpl
    def lay_out(self, contents: Contents, target: LayoutTarget) -> Activation:
        """Return an activation that does nothing. Never raises."""
        ignored = [
            Unsupported(label(component), f"the adaptor does not read it: {why}")
            for component in contents.components
            if (why := _ignored(component)) is not None
        ]
        rules = {rule.path for rule in contents.of_kind(ComponentKind.RULE)}
        pasted = [
            ContentFinding(
                "adaptor-rule",
                Severity.WARNING,
                path,
                "the adaptor appends this file to the agent's memory: it takes it for a rule",
            )
            for path in _CONTRIBUTORS
            if path not in rules and _has(target, path)
        ]
        return Activation(unsupported=tuple(ignored), findings=tuple(pasted))


def _has(target: LayoutTarget, path: str) -> bool:
    try:
        target.read(path)
    except KeyError:
        return False
    return True


def _ignored(component: Component) -> str | None:
    """Return why the adaptor passes a component over, None if it reads it."""
    folder, path = posixpath.dirname(component.path), component.path
    match component.kind:
        case ComponentKind.SKILL:
            return None if posixpath.dirname(folder) == "skills" else "it reads `skills/<skill>/SKILL.md`"
        case ComponentKind.RULE:
            return None if folder in {"", "rules"} and path.endswith(".md") else "it reads `rules/*.md` and `*.md`"
        case ComponentKind.COMMAND:
            return None if folder == "commands" and path.endswith(".md") else "it reads `commands/*.md`"
        case ComponentKind.SUBAGENT:
            return "it knows no subagents"
        case ComponentKind.HOOK | ComponentKind.MCP_SERVER | ComponentKind.SETTINGS:
            scripts = component.kind is ComponentKind.HOOK and folder == "hooks" and path.endswith((".sh", ".py"))
            return None if path == _FRAGMENT or scripts else f"it reads `{_FRAGMENT}`"
    return None


provider = AdaptorLayout()
