"""A small runtime's adaptor: what an agent's start makes of a plugin that was delivered."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

_NO_FRAGMENTS = {"README.md", "CHANGELOG.md", "LICENSE.md"}


def start(config: Path) -> None:
    """What the agent does at its start with every plugin that lies in the config dir."""
    for plugin in sorted((config / "plugins").iterdir()):
        if plugin.is_dir() and not plugin.name.startswith("."):
            apply(plugin, config)


def apply(plugin: Path, config: Path) -> None:
    """Copy skills, append memory, copy hooks and commands, merge settings."""
    for skill in sorted(plugin.glob("skills/*")):
        if not (config / "skills" / skill.name).exists():
            shutil.copytree(skill, config / "skills" / skill.name)
    for rule in sorted(plugin.glob("rules/*.md")):
        _remember(config, f"# Plugin: {plugin.name} / rule: {rule.name}", rule.read_text("utf-8"))
    for fragment in sorted(plugin.glob("*.md")):
        if fragment.name not in _NO_FRAGMENTS:
            _remember(config, f"# Plugin: {plugin.name} / fragment: {fragment.name}", fragment.read_text("utf-8"))
    for folder, endings in (("hooks", {".sh", ".py"}), ("commands", {".md"})):
        for file in sorted(plugin.glob(f"{folder}/*")):
            if file.suffix in endings:
                target = config / ".claude" / folder / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    if (plugin / "settings-fragment.json").exists():
        try:
            fragment = json.loads((plugin / "settings-fragment.json").read_text())
        except (ValueError, RecursionError):
            return
        if isinstance(fragment, dict):
            _merge(config / ".claude" / "settings.json", fragment)


def apply_empty(config: Path, *, with_settings: bool) -> None:
    """Do what the agent does with a plugin without contents: with a settings fragment, the settings are rewritten."""
    settings = config / ".claude" / "settings.json"
    if with_settings and settings.exists():
        _merge(settings, {})


def _remember(config: Path, marker: str, text: str) -> None:
    memory = config / "CLAUDE.md"
    known = memory.read_bytes() if memory.exists() else b""
    if marker.encode() not in known.splitlines():
        end = "\n" if text.endswith("\n") else "\n\n"
        with memory.open("ab") as file:
            file.write(f"{marker}\n\n{text}{end}".encode())


def _merge(path: Path, fragment: dict) -> None:
    """Merge the fragment into the settings. What it cannot read, it leaves alone."""
    try:
        settings = json.loads(path.read_text()) if path.exists() else {}
    except (ValueError, RecursionError):
        return
    if not isinstance(settings, dict):
        return
    placed = json.loads(json.dumps(fragment).replace("${CLAUDE_DIR}", str(path.parent)))
    for key, value in placed.items():
        if not isinstance(value, dict):
            settings.setdefault(key, value)
        elif not isinstance(settings.setdefault(key, {}), dict):
            continue
        elif key == "hooks":
            _merge_hooks(settings[key], value)
        else:
            settings[key].update(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=2) + "\n")


def _merge_hooks(settings: dict, events: dict) -> None:
    for event, handlers in events.items():
        have = settings.setdefault(event, [])
        have += [handler for handler in handlers if _identity(handler) not in map(_identity, have)]


def _identity(handler: dict) -> tuple:
    return handler.get("matcher"), [hook.get("command") for hook in handler.get("hooks", [])]
