"""What an uninstall removes: what the install delivered, and what the runtime's adaptor made of it at its start.

The rules are those of the adaptor. It copies `skills/<skill>/` if that does not exist, appends `rules/*.md` and the
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

from ...hookspecs.values import JSON, Bundle, Cleaned, Removal
from .memory_file import Block, remove_blocks
from .settings_file import remove_entries

_FRAGMENT: Final = "settings-fragment.json"
_NO_FRAGMENTS: Final = frozenset({"readme.md", "changelog.md", "license.md"})
_MAX_TEXT: Final = 256 * 1024
"""Bytes of the longest rule or settings fragment that is recorded. A longer one is not removed again."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one version of a plugin adds below the config dir, beside `plugins/<name>` itself.

    `files` maps paths below the config dir to their sha256 (hex). `skills` are the skills that it ships, `blocks`
    what goes into the memory file, `settings` its parsed fragment or None.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    skills: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    settings: JSON = None

    def to_json(self) -> JSON:
        """Return the footprint as the record of the installed plugin holds it."""
        return {
            "files": dict(self.files),
            "skills": list(self.skills),
            "blocks": [[block.plugin, block.kind, block.file, block.text] for block in self.blocks],
            "settings": self.settings,
        }

    @classmethod
    def from_json(cls, stored: JSON) -> Footprint:
        """Read what `to_json` returned; a missing part is empty."""
        fields: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
        return cls(
            files=dict(fields.get("files", {})),
            skills=tuple(fields.get("skills", ())),
            blocks=tuple(Block(*block) for block in fields.get("blocks", ())),
            settings=fields.get("settings"),
        )


def footprint_of(bundle: Bundle) -> Footprint:
    """Return the footprint of a bundle. Blocking: it reads rules and the settings fragment from the archive."""
    files: dict[str, str] = {}
    blocks: list[Block] = []
    settings: JSON = None
    for file in bundle.files:
        path = PurePosixPath(file.path)
        if (target := _copied_to(path)) is not None:
            files[target] = file.sha256
        elif file.size <= _MAX_TEXT and (kind := _block_kind(path)) is not None:
            if (text := _text(bundle, file.path)) is not None:
                blocks.append(Block(bundle.name, kind, path.name, text))
        elif file.path == _FRAGMENT and file.size <= _MAX_TEXT:
            settings = _parsed(_text(bundle, file.path))
    skills = {skill for file in bundle.files if (skill := _skill_of(PurePosixPath(file.path))) is not None}
    return Footprint(files, tuple(sorted(skills)), tuple(blocks), settings)


def removal_of(name: str, own: Sequence[Footprint], others: Sequence[Footprint]) -> Removal:
    """Return what to remove with the plugin `name`.

    `own` are the footprints of its versions, newest first: an older version's skill may still be there. `others` are
    the footprints of the workspace's other plugins; what they share with it stays.
    """
    shared_skills = {skill for other in others for skill in other.skills}
    digests: dict[str, list[str]] = defaultdict(list)
    for footprint in own:
        for path, sha256 in footprint.files.items():
            skill = _skill_of(PurePosixPath(path))
            in_use = any(other.files.get(path) == sha256 for other in others)
            if skill in shared_skills or (skill is None and in_use) or sha256 in digests[path]:
                continue
            digests[path].append(sha256)
    files = {path: tuple(accepted) for path, accepted in sorted(digests.items()) if accepted}
    blocks = [block for footprint in own for block in footprint.blocks]
    own_settings = [footprint.settings for footprint in own if footprint.settings is not None]
    other_settings = [footprint.settings for footprint in others if footprint.settings is not None]

    def clean_memory(text: str) -> Cleaned:
        return remove_blocks(text, blocks)

    def clean_settings(text: str, claude_dir: str) -> Cleaned:
        return remove_entries(text, claude_dir, own_settings, other_settings)

    return Removal(
        name=name,
        skills=tuple(sorted({skill for footprint in own for skill in footprint.skills} - shared_skills)),
        files=files,
        directories=tuple(_directories(files)),
        clean_memory=clean_memory,
        clean_settings=clean_settings,
    )


def _copied_to(path: PurePosixPath) -> str | None:
    """Return where the adaptor copies a file, below the config dir; None if it does not."""
    if _skill_of(path) is not None:
        return str(path)
    suffixes = {"hooks": {".sh", ".py"}, "commands": {".md"}}.get(path.parts[0], ())
    return f".claude/{path}" if len(path.parts) == 2 and path.suffix in suffixes else None


def _skill_of(path: PurePosixPath) -> str | None:
    return path.parts[1] if len(path.parts) >= 3 and path.parts[0] == "skills" else None


def _block_kind(path: PurePosixPath) -> str | None:
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
    """Return the directories of the skills, the deepest first."""
    directories = {
        str(parent)
        for path in files
        if _skill_of(PurePosixPath(path)) is not None
        for parent in PurePosixPath(path).parents
        if len(parent.parts) >= 2
    }
    return sorted(directories, key=lambda path: (-path.count("/"), path))
