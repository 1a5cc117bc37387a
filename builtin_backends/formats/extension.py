"""Reads extensions of Gemini CLI and Qwen Code: one manifest at the root, and parts in fixed folders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ...hookspecs import Component, ComponentKind, Contents, PluginTree, Severity
from .contents import contents_of
from .custom_paths import resolve_all
from .fields import Fields, read_fields, texts_at
from .hook_files import add_hooks, add_hooks_of_file
from .markdown_parts import add_commands, add_rules, add_subagents, markdown_below
from .mcp_servers import add_servers
from .plugin_parts import note_unlisted_skills
from .skill_files import add_skills, skills_in
from .tree_reader import Document, Reading

_NAME: Final = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension's format: its manifest, the file that it reads as a rule by itself, and its commands' endings."""

    format: str
    title: str
    manifest: str
    memory: str
    events: frozenset[str]
    commands: tuple[str, ...]


def read_extension(tree: PluginTree, extension: Extension) -> Contents | None:
    """Return what the extension has, None if the tree has no manifest of it."""
    if extension.manifest not in tree:
        return None
    reading = Reading(tree)
    document = reading.json(extension.manifest)
    fields = Fields() if document is None else read_fields(reading, document)
    if document is not None:
        _check(reading, document, extension)
        _add_rules(reading, document, extension)
        _add_servers(reading, document)
    add_skills(reading, skills_in(reading, "skills"))
    add_commands(reading, markdown_below(reading, "commands", endings=extension.commands), "commands")
    add_subagents(reading, markdown_below(reading, "agents"))
    if "hooks/hooks.json" in tree:
        add_hooks_of_file(reading, "hooks/hooks.json", extension.events)
    if document is not None and isinstance(document.value.get("hooks"), Mapping):
        add_hooks(reading, document, ("hooks",), extension.events)
    add_rules(reading, markdown_below(reading, "rules", deep=False))
    note_unlisted_skills(reading)
    return contents_of(extension.format, reading, fields, manifest=document.value if document else None)


def _check(reading: Reading, document: Document, extension: Extension) -> None:
    path, title = document.path, extension.title
    name, version = document.value.get("name"), document.value.get("version")
    if name is None:
        reading.error(
            "name-missing", path, f"the manifest has no `name`: {title} refuses the extension", document.place()
        )
    elif isinstance(name, str) and not _NAME.fullmatch(name):
        message = f"the name must be letters, digits and `-`: {title} refuses the extension"
        reading.error("name-letters", path, message, document.place(("name",)))
    if version is None:
        message = f"the manifest has no `version`: {title} refuses the extension"
        reading.error("version-missing", path, message, document.place())
    excluded = document.value.get("excludeTools")
    if excluded is not None:
        texts_at(reading, document, ("excludeTools",), singly=False)
        reading.add(Component(ComponentKind.SETTINGS, "excludeTools", path, data={"excludeTools": excluded}))
    settings = document.value.get("settings")
    if settings is None:
        return
    if isinstance(settings, list) and all(isinstance(each, Mapping) for each in settings):
        reading.add(Component(ComponentKind.SETTINGS, "settings", path, data={"settings": settings}))
        message = f"{title} asks a person for these settings when the extension is installed: plugport does not"
        reading.note("extension-settings", Severity.NOTE, path, message, document.place(("settings",)))
    else:
        reading.error("wrong-type", path, "`settings` must be a list of objects", document.place(("settings",)))


def _add_rules(reading: Reading, document: Document, extension: Extension) -> None:
    """Add the context files: those that the manifest names, else the one of the fixed name."""
    if document.value.get("contextFileName") is None:
        if reading.has(extension.memory):
            add_rules(reading, [extension.memory])
        return
    texts = texts_at(reading, document, ("contextFileName",))
    for path, keys in resolve_all(reading, document, texts, dotted=False):
        if reading.has(path):
            add_rules(reading, [path])
        else:
            message = "`contextFileName` must name files"
            reading.error("path-missing", document.path, message, document.place(keys))


def _add_servers(reading: Reading, document: Document) -> None:
    servers = document.value.get("mcpServers")
    if servers is not None and not isinstance(servers, Mapping):
        reading.error("wrong-type", document.path, "`mcpServers` must be an object", document.place(("mcpServers",)))
    add_servers(reading, document, ("mcpServers",))
