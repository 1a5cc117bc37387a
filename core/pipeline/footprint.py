"""What a version of a plugin adds below the config dir, beside its own directory, by the rules of the adaptor.

The runtime's adaptor copies `skills/<skill>/` if that does not exist, appends `rules/*.md` and the root's other
Markdown files to the memory file, copies `hooks/` and `commands/` below `.claude/`, and merges
`settings-fragment.json` into `.claude/settings.json` (facts: docs/explanation of the layout `adaptor`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from ...hookspecs.values import JSON, Bundle
from .memory_file import Appended, Block, MemoryBefore
from .settings_fragment import Brought, SettingsBefore, parse_fragment

MEMORY_FILES: Final = ("CLAUDE.md", "AGENTS.md")
SETTINGS_FILE: Final = ".claude/settings.json"

_FRAGMENT: Final = "settings-fragment.json"
_NO_FRAGMENTS: Final = frozenset({"readme.md", "changelog.md", "license.md"})
_MAX_TEXT: Final = 256 * 1024
"""Bytes of the longest rule or settings fragment that is recorded. A longer one is not removed again, but named."""


@dataclass(frozen=True, slots=True)
class FootprintBefore:
    """What was at a footprint's places before the version came, and had not been put there by plugport.

    `paths` are those of its files. `memory` and `settings` are what the memory files and the settings held.
    `overwritten` are the bytes of the files that the adaptor writes over.
    """

    paths: frozenset[str] = frozenset()
    memory: Mapping[str, MemoryBefore] = field(default_factory=dict)
    settings: SettingsBefore | None = None
    overwritten: Mapping[str, bytes] = field(default_factory=dict)

    def to_json(self) -> JSON:
        """Return this as the record of the installed plugin holds it."""
        return {
            "paths": sorted(self.paths),
            "memory": {file: before.to_json() for file, before in self.memory.items()},
            "settings": None if self.settings is None else self.settings.to_json(),
            "overwritten": {
                path: base64.b64encode(content).decode("ascii") for path, content in self.overwritten.items()
            },
        }

    @classmethod
    def from_json(cls, stored: JSON) -> FootprintBefore | None:
        """Read what `to_json` returned; None for anything else, as in rows of the first release."""
        if not isinstance(stored, Mapping):
            return None
        fields: Mapping[str, Any] = stored
        memory = {str(file): MemoryBefore.from_json(before) for file, before in fields.get("memory", {}).items()}
        return cls(
            frozenset(map(str, fields.get("paths", ()))),
            {file: before for file, before in memory.items() if before is not None},
            SettingsBefore.from_json(fields.get("settings")),
            {str(path): base64.b64decode(content) for path, content in fields.get("overwritten", {}).items()},
        )


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one version of a plugin adds below the config dir, beside `plugins/<name>` itself.

    `digest` is that of its tree, None in rows of the first release. `files` maps paths below the config dir to their
    sha256 (hex). `skills` are the skills that it ships, `blocks` what goes into the memory file, `settings` its
    parsed fragment or None; `lost_settings` says that it has a fragment that could not be recorded. `before` is None
    if nobody looked at the target first.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    skills: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    settings: Mapping[str, JSON] | None = None
    lost_settings: bool = False
    digest: str | None = None
    before: FootprintBefore | None = None

    def to_json(self) -> dict[str, JSON]:
        """Return the footprint as the record of the installed plugin holds it."""
        return {
            "files": dict(self.files),
            "skills": list(self.skills),
            "blocks": [[block.plugin, block.kind, block.file, block.text] for block in self.blocks],
            "settings": self.settings,
            "lost_settings": self.lost_settings,
            "digest": self.digest,
            "before": None if self.before is None else self.before.to_json(),
        }

    @classmethod
    def from_json(cls, stored: JSON) -> Footprint:
        """Read what `to_json` returned, also that of the first release; a missing part is empty."""
        fields: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
        return cls(
            files=dict(fields.get("files", {})),
            skills=tuple(fields.get("skills", ())),
            blocks=tuple(Block(*block) for block in fields.get("blocks", ())),
            settings=fields.get("settings"),
            lost_settings=bool(fields.get("lost_settings", False)),
            digest=fields.get("digest"),
            before=FootprintBefore.from_json(fields.get("before")),
        )

    def is_same_version(self, other: Footprint) -> bool:
        """Whether both are of the same version of the plugin. Rows of the first release have no digest."""
        if self.digest is not None and other.digest is not None:
            return self.digest == other.digest
        return (self.files, self.blocks, self.settings) == (other.files, other.blocks, other.settings)

    def brought_files(self) -> dict[str, str]:
        """Return the files that were not there before."""
        kept = frozenset() if self.before is None else self.before.paths
        return {path: sha256 for path, sha256 in self.files.items() if path not in kept}

    def files_by_skill(self) -> dict[str, dict[str, str]]:
        """Return the files of each of its skills."""
        by_skill: dict[str, dict[str, str]] = {}
        for path, sha256 in self.files.items():
            if (skill := skill_of(path)) is not None:
                by_skill.setdefault(skill, {})[path] = sha256
        return by_skill

    def appended(self, memory_file: str) -> Appended:
        """Return what it appends to one of the memory files."""
        return Appended(self.blocks, None if self.before is None else self.before.memory.get(memory_file))

    def brought_settings(self) -> tuple[Brought, ...]:
        """Return its settings fragment, if it has one that is known."""
        if self.settings is None:
            return ()
        return (Brought(self.settings, None if self.before is None else self.before.settings),)


def footprint_of(bundle: Bundle) -> Footprint:
    """Return the footprint of a bundle. Blocking: it reads rules and the settings fragment from the archive."""
    paths = [file.path for file in bundle.files]
    texts = {file.path for file in bundle.files if file.size <= _MAX_TEXT}
    kinds = {path: kind for path in paths if (kind := _block_kind(path)) is not None}
    contents = bundle.read_many({path for path in (*kinds, _FRAGMENT) if path in texts})
    blocks = [
        Block(bundle.name, kind, path.rpartition("/")[2], _text(contents.get(path))) for path, kind in kinds.items()
    ]

    fragment = parse_fragment(contents[_FRAGMENT]) if _FRAGMENT in contents else None
    return Footprint(
        files={target: file.sha256 for file in bundle.files if (target := _copied_to(file.path)) is not None},
        skills=tuple(sorted({skill for path in paths if (skill := skill_of(path)) is not None})),
        blocks=tuple(blocks),
        settings=fragment,
        lost_settings=_FRAGMENT in paths and fragment is None,
        digest=bundle.digest,
    )


def directory_of(name: str) -> str:
    """Return the plugin's directory, relative to the config dir."""
    return f"plugins/{name}"


def skill_of(path: str) -> str | None:
    """Return the skill that a path of a plugin, or below the config dir, belongs to."""
    parts = path.split("/")
    return parts[1] if len(parts) >= 3 and parts[0] == "skills" else None


def directories_of(paths: Iterable[str]) -> list[str]:
    """Return the directories of the skills among the paths, the deepest first."""
    directories = {
        str(parent)
        for path in paths
        if skill_of(path) is not None
        for parent in PurePosixPath(path).parents
        if len(parent.parts) >= 2
    }
    return sorted(directories, key=lambda path: (-path.count("/"), path))


def fragments_among(paths: Iterable[str]) -> list[str]:
    """Return those files of a plugin's root that the adaptor appends to the memory file beside `rules/`."""
    return [path for path in paths if _block_kind(path) == "fragment"]


def _copied_to(path: str) -> str | None:
    """Return where the adaptor copies a file, below the config dir; None if it does not."""
    if skill_of(path) is not None:
        return path
    pure = PurePosixPath(path)
    suffixes = {"hooks": {".sh", ".py"}, "commands": {".md"}}.get(pure.parts[0], ())
    return f".claude/{path}" if len(pure.parts) == 2 and pure.suffix in suffixes else None


def _block_kind(path: str) -> str | None:
    pure = PurePosixPath(path)
    if pure.suffix != ".md":
        return None
    if len(pure.parts) == 2 and pure.parts[0] == "rules":
        return "rule"
    if len(pure.parts) == 1 and pure.name.lower() not in _NO_FRAGMENTS:
        return "fragment"
    return None


def _text(content: bytes | None) -> str | None:
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError:
        return None
