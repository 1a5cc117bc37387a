"""The layout `agents`: each skill is a link in `~/.agents/skills`, which several runtimes read."""

from __future__ import annotations

import posixpath
from types import MappingProxyType

from ...hookspecs import Activation, ComponentKind, Contents, LayoutTarget, hookimpl
from .draft import draft_for
from .tables import AGENTS


class AgentsLayout:
    """Lays a plugin's skills out in the folder that several runtimes read. There is no agent to ask."""

    layouts = ("agents",)
    config_dirs = MappingProxyType({"agents": "~/.agents"})

    @hookimpl
    def lay_out(self, contents: Contents, target: LayoutTarget) -> Activation:
        """Return a link for each skill, called as the skill. Never raises."""
        draft = draft_for(AGENTS, contents, target)
        for skill in draft.of(ComponentKind.SKILL):
            folder = posixpath.dirname(skill.path)
            draft.link(f"skills/{posixpath.basename(folder) or draft.name}", folder)
        return draft.build()


provider = AgentsLayout()
