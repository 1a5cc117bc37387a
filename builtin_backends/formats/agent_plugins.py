"""The format `agent-plugins`: the Agent Plugins specification 1.0.0, with a `plugin.json` at the root."""

from __future__ import annotations

import re
from typing import Final

from ...hookspecs import Contents, PluginTree, Severity, hookimpl
from .contents import contents_of
from .fields import read_fields
from .marks import ROOT_MANIFEST
from .mcp_servers import add_servers_of_file
from .plugin_parts import note_unlisted_skills
from .skill_files import add_skills, skills_in
from .tree_reader import Document, Reading

SCHEMA: Final = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"
_SCHEMAS: Final = re.compile(r"https://agent-plugins\.org/schemas/[^/]+/plugin\.schema\.json")
_FIELDS: Final = frozenset(
    {
        *("$schema", "name", "version", "description", "author", "homepage", "repository", "license", "keywords"),
        "extensions",
    }
)
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?")


class AgentPluginsFormat:
    """Reads plugins by the Agent Plugins specification."""

    format = "agent-plugins"

    @hookimpl
    def read_plugin(self, tree: PluginTree) -> Contents | None:
        """Return what the plugin has, None if there is no `plugin.json` with the specification's `$schema`."""
        if ROOT_MANIFEST not in tree:
            return None
        reading = Reading(tree)
        document = reading.json(ROOT_MANIFEST)
        schema = document.value.get("$schema") if document else None
        if document is None or not isinstance(schema, str) or not _SCHEMAS.fullmatch(schema):
            return None
        _check(reading, document, schema)
        add_skills(reading, skills_in(reading, "skills"))
        if "mcp.json" in tree:
            add_servers_of_file(reading, "mcp.json")
        if "hooks/hooks.json" in tree:
            message = "agents read no hooks from a plugin with this manifest"
            reading.warn("hooks-off", "hooks/hooks.json", message)
        note_unlisted_skills(reading)
        return contents_of("agent-plugins", reading, read_fields(reading, document), manifest=document.value)


def _check(reading: Reading, document: Document, schema: str) -> None:
    path, name = document.path, document.value.get("name")
    if schema != SCHEMA:
        message = "`$schema` is of another version than 1.0.0, which agents read"
        reading.warn("schema-version", path, message, document.place(("$schema",)))
    if name is None:
        reading.error("name-missing", path, "the manifest has no `name`", document.place())
    elif isinstance(name, str) and not _NAME.fullmatch(name):
        message = "the name must be lower-case letters, digits, `.` and `-`, at most 64 characters"
        reading.error("name-letters", path, message, document.place(("name",)))
    for key in document.value:
        if key not in _FIELDS:
            message = f"the specification does not allow the field {key[:60]!r}"
            reading.error("unknown-field", path, message, document.place((key,)))
    if isinstance(document.value.get("author"), str):
        reading.error("wrong-type", path, "`author` must be an object", document.place(("author",)))
    if "version" not in document.value:
        reading.note("version-missing", Severity.NOTE, path, "the manifest has no `version`", document.place())


provider = AgentPluginsFormat()
