"""A layout for tests that asks for everything that an activation can have; its agent is a shell script."""

from __future__ import annotations

from plugport.hookspecs import (
    JSON,
    Activation,
    Answer,
    Copy,
    FileSyntax,
    Grant,
    Link,
    MemoryText,
    PlacedFile,
    Question,
    Seen,
    SeenState,
    SettingsEntry,
    Unsupported,
    hookimpl,
)


def read(answer: Answer) -> Seen:
    """The agent prints `yes`, `no` or `broken`."""
    words = answer.output.decode().split()
    if "broken" in words:
        return Seen(SeenState.NO, "the agent does not start", "bad \x1b[31mconfig", broken=True)
    return Seen(SeenState.YES if "yes" in words else SeenState.NO, None if "yes" in words else "it says no", None)


class FullLayout:
    """Lays out for the runtime `full`, whose config dir is `~/.full`."""

    layouts = ("full",)

    def __init__(self) -> None:
        self.value: JSON = True
        self.can_grant = True

    @hookimpl
    def lay_out(self, contents, target):
        name = target.name
        entries = [
            SettingsEntry("settings.json", FileSyntax.JSONC, ("enabledPlugins", f"{name}@plugport"), self.value),
            SettingsEntry("config.toml", FileSyntax.TOML, ("plugins", f"{name}@plugport"), {"enabled": True}),
            SettingsEntry("config.yaml", FileSyntax.YAML, ("mcp_servers", name), {"command": "${config_dir}/x"}),
        ]
        trust = (SettingsEntry("trust.json", FileSyntax.JSON, (name,), "trusted"),)
        return Activation(
            tree_files={"manifest.json": b"{}", "plugin.yaml": b"never replaced"},
            links=(
                Link(f"skills/{name}", f"plugins/{name}"),
                Link(f"~/.agents/skills/{name}", f"plugins/{name}/skills"),
            ),
            copies=(Copy(f"plugins/cache/plugport/{name}/local"),),
            files=(
                PlacedFile(f"agents/{name}.toml", b'root = "${config_dir}"\n'),
                PlacedFile("bin/run", b"#!/bin/sh\n", True),
            ),
            entries=tuple(entries),
            texts=(MemoryText("AGENTS.md", "Be brief.\n"),),
            unsupported=(Unsupported("command x", "the runtime has no commands"),),
            grants=(Grant("hooks", "hooks run only if they are trusted", trust if self.can_grant else ()),),
            question=Question(("./agent", "list", "${home}"), read),
        )
