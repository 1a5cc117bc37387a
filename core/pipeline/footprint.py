"""What an uninstall takes away: what the install delivered, and what the runtime's adaptor made of it at its start.

The rules are the adaptor's own. It copies `skills/<skill>/` where that does not exist, appends `rules/*.md` and the
root's other Markdown files to the memory file, copies `hooks/` and `commands/` below `.claude/`, and merges
`settings-fragment.json` into `.claude/settings.json`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from ...hookspecs.values import JSON, Cleaned, Removal
from ...hookspecs.values.bundle import Bundle
from .memory_file import Block, without_blocks
from .settings_file import without_entries

_FRAGMENT: Final = "settings-fragment.json"
_NO_FRAGMENTS: Final = frozenset({"readme.md", "changelog.md", "license.md"})
_MAX_TEXT: Final = 256 * 1024
"""Bytes of a rule or a settings fragment that are remembered; a longer one is left where the adaptor put it."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one version of a plugin leaves below the config dir, beside `plugins/<name>` itself.

    `files`: path below the config dir to sha256 (hex). `skills`: the skills that it ships. `blocks`: what goes into
    the memory file. `settings`: its parsed fragment, or None.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    skills: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    settings: JSON = None

    def to_json(self) -> JSON:
        """As the ledger keeps it."""
        return {
            "files": dict(self.files),
            "skills": list(self.skills),
            "blocks": [[one.plugin, one.kind, one.file, one.text] for one in self.blocks],
            "settings": self.settings,
        }

    @classmethod
    def from_json(cls, stored: JSON) -> Footprint:
        """What `to_json` gave; a part that is missing is empty."""
        told: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
        return cls(
            files=dict(told.get("files", {})),
            skills=tuple(told.get("skills", ())),
            blocks=tuple(Block(*one) for one in told.get("blocks", ())),
            settings=told.get("settings"),
        )


def footprint_of(bundle: Bundle) -> Footprint:
    """The footprint of a bundle. Blocking: it reads rules and the settings fragment out of the archive."""
    files: dict[str, str] = {}
    blocks: list[Block] = []
    settings: JSON = None
    for file in bundle.files:
        path = PurePosixPath(file.path)
        if (target := _copied_to(path)) is not None:
            files[target] = file.sha256
        elif file.size <= _MAX_TEXT and (kind := _remembered_as(path)) is not None:
            if (text := _text(bundle, file.path)) is not None:
                blocks.append(Block(bundle.name, kind, path.name, text))
        elif file.path == _FRAGMENT and file.size <= _MAX_TEXT:
            settings = _parsed(_text(bundle, file.path))
    skills = sorted({file.path.split("/")[1] for file in bundle.files if _is_of_a_skill(PurePosixPath(file.path))})
    return Footprint(files, tuple(skills), tuple(blocks), settings)


def removal_of(name: str, own: Sequence[Footprint], others: Sequence[Footprint]) -> Removal:
    """What goes when `name` goes. `own` are the footprints of its versions, newest first, since an older version's
    skill may lie there still; `others` are those of the workspace's other plugins, whose share stays."""
    shared_skills = {skill for one in others for skill in one.skills}
    digests: dict[str, list[str]] = defaultdict(list)
    for footprint in own:
        for path, sha256 in footprint.files.items():
            skill = _skill_of(path)
            in_use = any(one.files.get(path) == sha256 for one in others)
            if skill in shared_skills or (skill is None and in_use) or sha256 in digests[path]:
                continue
            digests[path].append(sha256)
    files = {path: tuple(accepted) for path, accepted in sorted(digests.items()) if accepted}
    blocks = [block for footprint in own for block in footprint.blocks]
    brought = [one.settings for one in own if one.settings is not None]
    kept = [one.settings for one in others if one.settings is not None]

    def clean_memory(text: str) -> Cleaned:
        return without_blocks(text, blocks)

    def clean_settings(text: str, claude_dir: str) -> Cleaned:
        return without_entries(text, claude_dir, brought, kept)

    return Removal(
        name=name,
        skills=tuple(sorted({skill for one in own for skill in one.skills} - shared_skills)),
        files=files,
        directories=tuple(_directories(files)),
        clean_memory=clean_memory,
        clean_settings=clean_settings,
    )


def _copied_to(path: PurePosixPath) -> str | None:
    """Where the adaptor copies a file, below the config dir."""
    if _is_of_a_skill(path):
        return str(path)
    in_folder = len(path.parts) == 2
    if in_folder and path.parts[0] == "hooks" and path.suffix in {".sh", ".py"}:
        return f".claude/{path}"
    if in_folder and path.parts[0] == "commands" and path.suffix == ".md":
        return f".claude/{path}"
    return None


def _is_of_a_skill(path: PurePosixPath) -> bool:
    return len(path.parts) >= 3 and path.parts[0] == "skills"


def _skill_of(path: str) -> str | None:
    parts = path.split("/")
    return parts[1] if parts[0] == "skills" and len(parts) >= 3 else None


def _remembered_as(path: PurePosixPath) -> str | None:
    if path.suffix != ".md":
        return None
    if len(path.parts) == 2 and path.parts[0] == "rules":
        return "rule"
    if len(path.parts) == 1 and path.name.lower() not in _NO_FRAGMENTS:
        return "fragment"
    return None


def _text(bundle: Bundle, path: str) -> str | None:
    try:
        return bundle.read(path).decode()
    except UnicodeDecodeError:
        return None


def _parsed(text: str | None) -> JSON:
    try:
        parsed = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _directories(files: Mapping[str, object]) -> list[str]:
    """The skills' directories, the deepest first."""
    found = {
        str(parent)
        for path in files
        if _skill_of(path) is not None
        for parent in PurePosixPath(path).parents
        if len(parent.parts) >= 2
    }
    return sorted(found, key=lambda path: (-path.count("/"), path))
