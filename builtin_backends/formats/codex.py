"""The format `codex`: Codex's plugins, with `.codex-plugin/plugin.json`, whose paths replace the default folders."""

from __future__ import annotations

from typing import Final

from ...hookspecs import Contents, PluginTree, hookimpl
from .contents import contents_of
from .fields import Fields, read_fields
from .hook_files import CODEX_EVENTS
from .marks import CODEX
from .plugin_parts import Declared, Ways, add_parts, note_unlisted_skills
from .tree_reader import Reading

_WAYS: Final = Ways(frozenset(), CODEX_EVENTS)


class CodexFormat:
    """Reads Codex's plugins."""

    format = "codex"

    @hookimpl
    def read_plugin(self, tree: PluginTree) -> Contents | None:
        """Return what the plugin has, None if the tree is no plugin of Codex's."""
        if CODEX not in tree:
            return None
        reading = Reading(tree)
        document = reading.json(CODEX)
        if document is None:
            add_parts(reading, [], _WAYS)
            return contents_of("codex", reading, Fields())
        name = document.value.get("name")
        if isinstance(name, str) and any(letter.isspace() for letter in name):
            reading.error(
                "name-space", CODEX, "the name has a space: Codex refuses the plugin", document.place(("name",))
            )
        add_parts(reading, [Declared(document)], _WAYS)
        note_unlisted_skills(reading)
        return contents_of("codex", reading, read_fields(reading, document), manifest=document.value)


provider = CodexFormat()
