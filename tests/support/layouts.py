"""What the tests of the layouts lay out: plugins as contents and files, without a format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugport.hookspecs import Activation, Component, ComponentKind, Contents, LayoutTarget
from plugport.hookspecs.values import BundleFile

SKILL, RULE, COMMAND = ComponentKind.SKILL, ComponentKind.RULE, ComponentKind.COMMAND
SUBAGENT, HOOK, SERVER = ComponentKind.SUBAGENT, ComponentKind.HOOK, ComponentKind.MCP_SERVER

FILES: Mapping[str, bytes] = {
    "skills/hello/SKILL.md": b"---\nname: hello\ndescription: Says hello.\n---\nSay hello.\n",
    "rules/style.md": b"Be brief.\n",
    "commands/greet.md": b"---\ndescription: Greets.\n---\nGreet $ARGUMENTS.\n",
    "agents/helper.md": b"---\nname: helper\ndescription: Helps.\ntools: Read, Bash\ncolor: red\n---\nYou help.\n",
    "hooks/hooks.json": b"{}",
    ".mcp.json": b"{}",
    "server.py": b"",
}
"""The files of a plugin with all six parts, in the places of Claude Code."""


def component(
    kind: ComponentKind, name: str, path: str, description: str | None = None, /, **data: object
) -> Component:
    """Make a component; `data` is its declaration."""
    return Component(kind, name, path, description, data=data)  # type: ignore[arg-type]


def skill(path: str = "skills/hello/SKILL.md", /, **data: object) -> Component:
    """Make a skill that is called like its folder."""
    return component(SKILL, path.rpartition("/")[0].rpartition("/")[2] or "root", path, **data)


def hook(event: str, command: str, path: str = "hooks/hooks.json", /, **data: object) -> Component:
    """Make a hook that runs a command."""
    return component(HOOK, event, path, event=event, type="command", command=command, **data)


def server(path: str = ".mcp.json", name: str = "echo", **data: object) -> Component:
    """Make an MCP server, by default one that runs a file of the plugin."""
    entry = data or {"command": "python3", "args": ["${CLAUDE_PLUGIN_ROOT}/server.py"]}
    return component(SERVER, name, path, **entry)


SIX_PARTS = (
    skill(name="hello", description="Says hello."),
    component(RULE, "style", "rules/style.md"),
    component(COMMAND, "greet", "commands/greet.md", "Greets.", argument_hint="who"),
    component(SUBAGENT, "helper", "agents/helper.md", "Helps.", name="helper", tools="Read, Bash", color="red"),
    hook("SessionStart", "touch ${CLAUDE_PLUGIN_ROOT}/ran", matcher="startup"),
    server(),
)
"""The components of `FILES`."""


def contents(*components: Component, fmt: str = "claude", **fields: object) -> Contents:
    """Make contents of version 1.0.0."""
    return Contents(fmt, "demo", "1.0.0", "A demo.", components=components or SIX_PARTS, **fields)  # type: ignore[arg-type]


def target(layout: str, files: Mapping[str, bytes] = FILES, name: str = "demo", **options: str) -> LayoutTarget:
    """Make the target of a plugin with these files."""
    return LayoutTarget(
        name,
        "sha256:" + "0" * 64,
        layout,
        options=dict(options),
        read=lambda path: files[path],
        files=tuple(BundleFile(path, len(files[path]), False, "0" * 64) for path in sorted(files)),
        chunks=lambda path: iter([files[path]]),
    )


def places(activation: Activation) -> list[str]:
    """Return every place on the target that an activation writes, its grants' too."""
    grants = activation.grants
    files = (*activation.files, *(file for grant in grants for file in grant.files))
    entries = (*activation.entries, *(entry for grant in grants for entry in grant.entries))
    every: tuple[Any, ...] = (*activation.links, *activation.copies, *files, *entries, *activation.texts)
    return [placed.path for placed in every]
