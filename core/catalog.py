"""The curated registry behind `local://`: what lies in the plugins directory, as a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..hookspecs.errors import PlugportError
from ..hookspecs.values import JSON
from .pipeline.manifest import read_manifest, supported_on_runtime, validate_name


@dataclass(frozen=True, slots=True)
class Curated:
    """One plugin of the registry."""

    name: str
    manifest: Mapping[str, JSON]
    skills: tuple[str, ...]
    adapters: tuple[str, ...]

    @property
    def version(self) -> str | None:
        """What the manifest calls its version."""
        version = self.manifest.get("version")
        return None if version is None else str(version)

    @property
    def description(self) -> str | None:
        """What the manifest says of it."""
        described = self.manifest.get("description")
        return described if isinstance(described, str) else None

    @property
    def runtimes(self) -> tuple[str, ...]:
        """The runtimes that the manifest lists."""
        listed = self.manifest.get("runtimes")
        return tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list | tuple) else ()

    def supports(self, runtime: str | None) -> bool:
        """Whether it works on the runtime."""
        return supported_on_runtime(self.manifest, self.adapters, runtime)


def read_registry(folder: Path) -> list[Curated]:
    """Every plugin of the folder that could be installed, by name; one that could not is left out.

    Blocking; may be repeated.
    """
    if not folder.is_dir():
        return []
    found = (_read(path) for path in sorted(folder.iterdir(), key=lambda path: path.name) if path.is_dir())
    return [one for one in found if one is not None]


def _read(path: Path) -> Curated | None:
    try:
        name = validate_name(path.name)
        manifest = read_manifest(path)
    except (PlugportError, OSError):
        return None
    if manifest is not None and manifest.name not in (None, name):
        return None
    skills = sorted(one.parent.name for one in path.glob("skills/*/SKILL.md"))
    adapters = sorted(f"adapters/{one.name}" for one in path.glob("adapters/*.py"))
    return Curated(name, manifest.data if manifest else {}, tuple(skills), tuple(adapters))
