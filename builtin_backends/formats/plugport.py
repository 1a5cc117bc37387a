"""The format `plugport`: `plugin.yaml`, and the folders that the first adaptor knew."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Final

from ...hookspecs import JSON, Component, ComponentKind, Contents, PluginTree, Severity, hookimpl, is_name
from .contents import contents_of
from .fields import Fields, read_fields, texts_at
from .foreign_manifest import foreign_tool
from .hook_files import add_hooks, add_hooks_of_file
from .markdown_parts import add_commands, add_rules, add_subagents, markdown_below
from .marks import CONTRIBUTORS, FRAGMENT, MANIFESTS, PLUGPORT
from .mcp_servers import add_servers, add_servers_of_file
from .skill_files import add_assets, add_skills, note_misspelt, skills_below
from .tree_reader import Document, Reading

_NO_RULES: Final = frozenset({"readme.md", "changelog.md", "license.md"})
_CLAUDE_PARTS: Final = (".mcp.json", "hooks/hooks.json")


class PlugportFormat:
    """Reads plugport's own plugins."""

    format = "plugport"

    @hookimpl
    def read_plugin(self, tree: PluginTree) -> Contents | None:
        """Return what the plugin has, None if the tree has nothing of plugport's."""
        reading = Reading(tree)
        if not _is_plugport(reading):
            return None
        document = reading.yaml(PLUGPORT) if PLUGPORT in tree else None
        fields = Fields()
        runtimes: tuple[str, ...] = ()
        if document is not None:
            fields = read_fields(reading, document, versions_may_be_numbers=True)
            runtimes = tuple(text for text, _ in texts_at(reading, document, ("runtimes",), singly=False))
            _check(reading, document)
        _add_parts(reading)
        tool = None if document is None or _has_parts(reading) else foreign_tool(tree, document.value)
        if tool is not None:
            message = f"this is a plugin of {tool}: it has nothing that an agent reads"
            reading.error("foreign-manifest", PLUGPORT, message, (1, 1))
        add_rules(reading, _root_rules(reading, document))
        return contents_of(
            "plugport", reading, fields, manifest=document.value if document else None, runtimes=runtimes
        )


def _is_plugport(reading: Reading) -> bool:
    """Return whether the tree has plugport's manifest or its settings; or its folders, and no other manifest."""
    if reading.has(PLUGPORT) or reading.has(FRAGMENT) or _adapters(reading):
        return True
    if any(map(reading.has, MANIFESTS)) or any(map(reading.has, _CLAUDE_PARTS)) or reading.has_folder(".apm"):
        return False
    if markdown_below(reading, "agents"):
        return False
    return bool(markdown_below(reading, "rules") or markdown_below(reading, "commands") or _scripts(reading))


def _has_parts(reading: Reading) -> bool:
    return any(component.kind is not ComponentKind.ASSET for component in reading.components)


def _adapters(reading: Reading) -> list[str]:
    return [path for path in reading.below("adapters") if path.endswith(".py") and path.count("/") == 1]


def _scripts(reading: Reading) -> list[str]:
    return [path for path in reading.below("hooks") if path.endswith((".sh", ".py")) and path.count("/") == 1]


def _add_parts(reading: Reading) -> None:
    add_skills(reading, skills_below(reading, "skills"))
    note_misspelt(reading, reading.below("skills"))
    add_rules(reading, markdown_below(reading, "rules", deep=False))
    add_commands(reading, markdown_below(reading, "commands", deep=False), "commands")
    add_subagents(reading, markdown_below(reading, "agents"))
    if reading.has("hooks/hooks.json"):
        add_hooks_of_file(reading, "hooks/hooks.json")
    if reading.has(".mcp.json"):
        add_servers_of_file(reading, ".mcp.json")
    if reading.has(FRAGMENT):
        _add_fragment(reading)
    add_assets(reading, [*_scripts(reading), *_adapters(reading)])


def _root_rules(reading: Reading, document: Document | None) -> list[str]:
    """Return the root's Markdown files that are rules. Documents for contributors are rules only if `rules` in the
    manifest names them; under the layout `adaptor` the runtime's adaptor takes them all."""
    listed = texts_at(reading, document, ("rules",)) if document is not None else []
    named = {posixpath.normpath(text) for text, _ in listed}
    paths = (path for path in markdown_below(reading, "", deep=False) if path.lower() not in _NO_RULES)
    return [path for path in paths if path in named or not _is_document(path)]


def _is_document(path: str) -> bool:
    """Return whether a root's file is for contributors, or a translated or longer README, CHANGELOG or LICENSE."""
    name = path.lower()
    return name in CONTRIBUTORS or name.startswith(
        (
            "readme",
            "changelog",
            "license",
            "licence",
            "contributing",
            "code_of_conduct",
            "code-of-conduct",
            "security",
            "release-notes",
            "skill.",
        )
    )


def _add_fragment(reading: Reading) -> None:
    document = reading.json(FRAGMENT)
    if document is None:
        return
    reading.add(Component(ComponentKind.SETTINGS, FRAGMENT, FRAGMENT, data=dict(document.value)))
    hooks, servers = document.value.get("hooks"), document.value.get("mcpServers")
    if hooks is not None:
        add_hooks(reading, document, ("hooks",))
    if isinstance(servers, Mapping):
        add_servers(reading, document, ("mcpServers",))
    elif servers is not None:
        reading.error("wrong-type", FRAGMENT, "`mcpServers` must be an object", document.place(("mcpServers",)))


def _check(reading: Reading, document: Document) -> None:
    name: JSON = document.value.get("name")
    if isinstance(name, str) and not is_name(name):
        message = "the name must be letters, digits, `.`, `_` and `-`, the first a letter or a digit, at most 128"
        reading.error("name-letters", PLUGPORT, message, document.place(("name",)))
    if "version" not in document.value:
        reading.note("version-missing", Severity.NOTE, PLUGPORT, "the manifest has no `version`", document.place())


provider = PlugportFormat()
