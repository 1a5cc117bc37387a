"""The shape of a runtime's table: what `tables` fills in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ...hookspecs import ComponentKind, TakesEffect


@dataclass(frozen=True, slots=True)
class SkillRules:
    """What a runtime does with a `SKILL.md`.

    `needs` are the parts without which it passes a skill over (`front-matter`, `description`, `name`); `refuses` what
    makes it pass one over (`bom`, `colon`, `tab`, `twice`, `list`, `space`, `non-ascii`, `latin-1`). A name longer
    than `longest_name` or a description longer than `longest_description` is passed over, and one longer than
    `cut_at` is cut there. None: no limit was seen.
    """

    needs: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    longest_name: int | None = None
    longest_description: int | None = None
    cut_at: int | None = None


@dataclass(frozen=True, slots=True)
class PluginNames:
    """How a plugin may be called in a runtime: `pattern`, in words `rule`, and which names it uses itself."""

    pattern: re.Pattern[str] = re.compile(r"\S+")
    rule: str = "no spaces"
    reserved: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Runtime:
    """One runtime: its layout's name, where its parts live, and its limits.

    `version` is what the tests ran. `folder` is its config dir, which the variable `moved_by` moves; its value is the
    folder that lies `moved_above` levels above. `places` says for each kind
    of component where the layout puts it, `missing` for the others why the runtime cannot use them. `events` maps
    Claude Code's name of a hook's event to the runtime's. `effect` and `reload` say when a running agent uses what
    was installed; `restarts` whether it must be restarted. `tools` maps Claude Code's names of tools to its own.
    `milliseconds` says that the timeouts of its hooks are not seconds.
    """

    name: str
    title: str
    version: str
    folder: str
    moved_by: str
    places: Mapping[ComponentKind, str]
    reload: str
    effect: TakesEffect = TakesEffect.AT_START
    restarts: bool = True
    missing: Mapping[ComponentKind, str] = field(default_factory=lambda: MappingProxyType({}))
    skills: SkillRules = field(default_factory=SkillRules)
    names: PluginNames = field(default_factory=PluginNames)
    events: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tools: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    milliseconds: bool = False
    moved_above: int = 0
