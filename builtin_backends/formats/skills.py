"""The format `skills`: bare `SKILL.md` files at any depth, without a manifest. The source names the plugin."""

from __future__ import annotations

from ...hookspecs import Contents, PluginTree, hookimpl
from .marks import MANIFESTS
from .skill_files import add_skills, note_misspelt, skills_below
from .tree_reader import Reading


class SkillsFormat:
    """Reads trees that have skills and nothing that names a plugin."""

    format = "skills"

    @hookimpl
    def read_plugin(self, tree: PluginTree) -> Contents | None:
        """Return the skills of the tree, None if it has none."""
        reading = Reading(tree)
        paths = skills_below(reading)
        if not paths or any(map(reading.has, MANIFESTS)):
            return None
        add_skills(reading, paths)
        note_misspelt(reading, tree.paths)
        return Contents("skills", components=tuple(reading.components), findings=tuple(reading.findings))


provider = SkillsFormat()
