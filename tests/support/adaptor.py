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
        _merge(config / ".claude" / "settings.json", json.loads((plugin / "settings-fragment.json").read_text()))


def _remember(config: Path, marker: str, text: str) -> None:
    memory = config / "CLAUDE.md"
    known = memory.read_text("utf-8") if memory.exists() else ""
    if marker not in known.splitlines():
        memory.write_text(
            f"{known}{marker}\n\n{text}\n\n" if not text.endswith("\n") else f"{known}{marker}\n\n{text}\n"
        )


def _merge(path: Path, fragment: dict) -> None:
    settings = json.loads(path.read_text()) if path.exists() else {}
    placed = json.loads(json.dumps(fragment).replace("${CLAUDE_DIR}", str(path.parent)))
    for key, value in placed.items():
        if key == "hooks":
            for event, handlers in value.items():
                have = settings.setdefault("hooks", {}).setdefault(event, [])
                have += [handler for handler in handlers if _identity(handler) not in map(_identity, have)]
        elif isinstance(value, dict):
            settings.setdefault(key, {}).update(value)
        else:
            settings.setdefault(key, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=2) + "\n")


def _identity(handler: dict) -> tuple:
    return handler.get("matcher"), [hook.get("command") for hook in handler.get("hooks", [])]
