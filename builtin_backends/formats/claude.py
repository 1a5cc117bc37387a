"""The format `claude`: Claude Code's plugins, with `.claude-plugin/plugin.json`, and trees that are a marketplace."""

from __future__ import annotations

from typing import Final

from ...hookspecs import Contents, PluginTree, hookimpl
from .claude_manifest import check_manifest
from .contents import contents_of
from .fields import Fields, read_fields
from .marketplace import add_marketplace
from .marks import CLAUDE, MANIFESTS, MARKETPLACE, ROOT_MANIFEST
from .plugin_parts import CLAUDE_WAYS, Declared, add_parts, note_unlisted_skills
from .tree_reader import Document, Reading

_OWN_PARTS: Final = (".mcp.json", "hooks/hooks.json")


class ClaudeFormat:
    """Reads Claude Code's plugins and marketplaces."""

    format = "claude"

    @hookimpl
    def read_plugin(self, tree: PluginTree) -> Contents | None:
        """Return what the plugin has, None if the tree is no plugin of Claude Code's."""
        if not _is_claude(tree):
            return None
        reading = Reading(tree)
        document = read_manifest(reading)
        fields = Fields()
        if document is not None:
            check_manifest(reading, document)
            fields = read_fields(reading, document)
        marketplace = reading.json(MARKETPLACE) if MARKETPLACE in tree else None
        if marketplace is not None:
            fields = add_marketplace(reading, marketplace, document, fields)
        else:
            add_parts(reading, [Declared(document)] if document else [], CLAUDE_WAYS)
        note_unlisted_skills(reading)
        manifest = document or marketplace
        return contents_of("claude", reading, fields, manifest=manifest.value if manifest else None)


def _is_claude(tree: PluginTree) -> bool:
    if CLAUDE in tree or MARKETPLACE in tree:
        return True
    if any(path in tree for path in MANIFESTS if path != ROOT_MANIFEST):
        return False
    if ROOT_MANIFEST in tree:
        document = Reading(tree).json(ROOT_MANIFEST)
        return (
            document is not None and "$schema" not in document.value and "name" in document.value and _has_parts(tree)
        )
    return any(path in tree for path in _OWN_PARTS) or any(
        path.startswith("agents/") and path.endswith(".md") for path in tree.below("agents")
    )


def _has_parts(tree: PluginTree) -> bool:
    reading = Reading(tree)
    folders = any(reading.has_folder(folder) for folder in ("skills", "commands", "agents"))
    return folders or any(path in tree for path in (*_OWN_PARTS, "SKILL.md"))


def read_manifest(reading: Reading) -> Document | None:
    """Return the manifest of the plugin in the reading's folder, None if it has none that can be used.

    A `plugin.json` at the plugin's root, where Copilot has it, stands in for it.
    """
    for own in (CLAUDE, ROOT_MANIFEST):
        path = reading.at(own)
        if reading.has(path):
            document = reading.json(path)
            if document is None or "$schema" not in document.value or own == CLAUDE:
                return document
    return None


provider = ClaudeFormat()
