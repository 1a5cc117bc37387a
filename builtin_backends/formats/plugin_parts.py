"""Reads the parts of a plugin whose manifest names them by the fields that Claude Code and Codex share."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...hookspecs import JSON, Component, ComponentKind, Severity
from .custom_paths import resolve, resolve_all
from .fields import texts_at, value_at
from .hook_files import CLAUDE_EVENTS, add_hooks, add_hooks_of_file
from .json_document import Keys
from .markdown_parts import add_commands, add_rules, add_subagents, markdown_below
from .mcp_servers import add_servers, add_servers_of_file
from .skill_files import FILE, add_skills, skills_below, skills_in
from .tree_reader import Document, Reading, clean


@dataclass(frozen=True, slots=True)
class Declared:
    """A manifest's object: what it says of the plugin's parts stands under `keys`."""

    document: Document
    keys: Keys = ()

    def has(self, key: str) -> bool:
        """Return whether the manifest has the field."""
        return self.value(key) is not None

    def value(self, key: str) -> JSON:
        """Return the field's value, None if there is none."""
        return value_at(self.document.value, (*self.keys, key))


@dataclass(frozen=True, slots=True)
class Ways:
    """How a format finds its parts. `adding` are the fields whose paths add to the default folders; the paths of the
    others replace them. `events` are those of its hooks; `hooks` says that it has hooks at all."""

    adding: frozenset[str]
    events: frozenset[str] = CLAUDE_EVENTS
    hooks: bool = True


CLAUDE_WAYS = Ways(frozenset({"skills", "hooks", "mcpServers"}))
PART_FIELDS = ("skills", "commands", "agents", "hooks", "mcpServers")


def add_parts(reading: Reading, declared: Iterable[Declared], ways: Ways, *, defaults: bool = True) -> None:
    """Add every part of the plugin: those in the default folders (with `defaults`), and those that manifests name."""
    manifests = list(declared)
    for field, add_default in (
        ("skills", _default_skills),
        ("commands", _default_commands),
        ("agents", _default_subagents),
        ("hooks", _default_hooks),
        ("mcpServers", _default_servers),
    ):
        if field == "hooks" and not ways.hooks:
            continue
        naming = [manifest for manifest in manifests if manifest.has(field)]
        if defaults and (not naming or field in ways.adding):
            add_default(reading, ways, bool(naming))
        for manifest in naming:
            _NAMED[field](reading, manifest, ways)
    add_rules(reading, markdown_below(reading, reading.at("rules"), deep=False))


def note_unlisted_skills(reading: Reading) -> None:
    """Note the skills of the tree that no agent finds: neither a default folder nor the manifest leads to them."""
    listed = {component.path for component in reading.components if component.kind is ComponentKind.SKILL}
    faulty = {finding.path for finding in reading.findings}
    for path in skills_below(reading, reading.folder):
        if path not in listed and path not in faulty:
            message = "no agent finds this skill: neither the folder `skills` nor the manifest leads to it"
            reading.note("skill-unlisted", Severity.NOTE, path, message)


def _default_skills(reading: Reading, _ways: Ways, is_named: bool) -> None:
    folder, single = reading.at("skills"), reading.at(FILE)
    if reading.has_folder(folder):
        add_skills(reading, skills_in(reading, folder))
    elif reading.has(single) and not is_named:
        add_skills(reading, [single], assets=False)


def _default_commands(reading: Reading, _ways: Ways, _is_named: bool) -> None:
    add_commands(reading, markdown_below(reading, reading.at("commands")), reading.at("commands"))


def _default_subagents(reading: Reading, _ways: Ways, _is_named: bool) -> None:
    add_subagents(reading, markdown_below(reading, reading.at("agents")))


def _default_hooks(reading: Reading, ways: Ways, _is_named: bool) -> None:
    path = reading.at("hooks/hooks.json")
    if reading.has(path):
        add_hooks_of_file(reading, path, ways.events)


def _default_servers(reading: Reading, _ways: Ways, _is_named: bool) -> None:
    path = reading.at(".mcp.json")
    if reading.has(path):
        add_servers_of_file(reading, path)


def _named_skills(reading: Reading, declared: Declared, _ways: Ways) -> None:
    keys = (*declared.keys, "skills")
    for path, at in resolve_all(reading, declared.document, texts_at(reading, declared.document, keys)):
        single = posixpath.join(path, FILE)
        if posixpath.basename(path) == FILE:
            add_skills(reading, [path])
        elif reading.has(single):
            add_skills(reading, [single], assets=path != reading.folder)
        elif paths := skills_in(reading, path):
            add_skills(reading, paths)
        else:
            message = f"there is no skill at this path: neither {FILE} nor folders that have it"
            reading.error("path-missing", declared.document.path, message, declared.document.place(at))


def _named_commands(reading: Reading, declared: Declared, _ways: Ways) -> None:
    keys = (*declared.keys, "commands")
    value = declared.value("commands")
    if isinstance(value, Mapping):
        _described_commands(reading, declared, keys, value)
        return
    for path, at in resolve_all(reading, declared.document, texts_at(reading, declared.document, keys)):
        if reading.has(path):
            add_commands(reading, [path], posixpath.dirname(path))
        elif paths := markdown_below(reading, path):
            add_commands(reading, paths, path)
        else:
            message = "there is no Markdown file at this path"
            reading.error("path-missing", declared.document.path, message, declared.document.place(at))


def _described_commands(reading: Reading, declared: Declared, keys: Keys, value: Mapping[str, JSON]) -> None:
    """Add commands that stand in the manifest by their name, each with `source` (a path) or `content`."""
    document = declared.document
    for name, entry in value.items():
        at = (*keys, name)
        fields: Mapping[str, JSON] = entry if isinstance(entry, Mapping) else {}
        source, content, said = fields.get("source"), fields.get("content"), fields.get("description")
        description = said if isinstance(said, str) else None
        path: str | None = document.path
        if isinstance(source, str):
            path = resolve(reading, document, source, (*at, "source"))
        elif not isinstance(content, str):
            reading.error(
                "wrong-type",
                document.path,
                f"the command {name[:60]!r} must have a text `source` or `content`",
                document.place(at),
            )
            continue
        if path is not None:
            reading.add(Component(ComponentKind.COMMAND, clean(name)[:200], path, description, data=dict(fields)))


def _named_subagents(reading: Reading, declared: Declared, _ways: Ways) -> None:
    keys = (*declared.keys, "agents")
    for path, at in resolve_all(reading, declared.document, texts_at(reading, declared.document, keys)):
        if reading.has(path):
            add_subagents(reading, [path])
        else:
            message = "`agents` must name files: Claude Code refuses the plugin for a folder"
            reading.error("agents-folder", declared.document.path, message, declared.document.place(at))
            add_subagents(reading, markdown_below(reading, path))


def _named_hooks(reading: Reading, declared: Declared, ways: Ways) -> None:
    for value, at in _each(declared, "hooks"):
        if isinstance(value, Mapping):
            if value:
                inner = (*at, "hooks") if "hooks" in value else at
                add_hooks(reading, declared.document, inner, ways.events)
        else:
            path = _file(reading, declared, value, at)
            if path is not None:
                add_hooks_of_file(reading, path, ways.events)


def _named_servers(reading: Reading, declared: Declared, _ways: Ways) -> None:
    for value, at in _each(declared, "mcpServers"):
        if isinstance(value, Mapping):
            add_servers(reading, declared.document, at)
        else:
            path = _file(reading, declared, value, at)
            if path is not None:
                add_servers_of_file(reading, path)


def _each(declared: Declared, field: str) -> list[tuple[JSON, Keys]]:
    """Return the items of a field that is a path, an object, or a list of both."""
    value, keys = declared.value(field), (*declared.keys, field)
    if isinstance(value, list):
        return [(item, (*keys, index)) for index, item in enumerate(value[:1000])]
    return [(value, keys)]


def _file(reading: Reading, declared: Declared, value: JSON, at: Keys) -> str | None:
    document = declared.document
    if not isinstance(value, str):
        reading.error("wrong-type", document.path, "must be a path or an object", document.place(at))
        return None
    path = resolve(reading, document, value, at)
    if path is not None and not reading.has(path):
        reading.error(
            "path-missing", document.path, f"there is no file at the path {value[:120]!r}", document.place(at)
        )
        return None
    return path


_NAMED = {
    "skills": _named_skills,
    "commands": _named_commands,
    "agents": _named_subagents,
    "hooks": _named_hooks,
    "mcpServers": _named_servers,
}
