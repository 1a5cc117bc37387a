"""The catalog: the curated plugins of the plugins directory, behind `local://`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..hookspecs.errors import PlugportError, SourceUnavailable
from ..hookspecs.values import JSON
from .pipeline.display import displayed
from .pipeline.manifest import name_of, read_manifest, supported_on_runtime, validate_name


@dataclass(frozen=True, slots=True)
class CatalogPlugin:
    """One plugin of the catalog. `skills` are names, `adapters` are paths below the plugin's root."""

    name: str
    manifest: Mapping[str, JSON]
    skills: tuple[str, ...]
    adapters: tuple[str, ...]

    def supports(self, runtime: str | None) -> bool:
        """Return whether the plugin supports the runtime."""
        return supported_on_runtime(self.manifest, self.adapters, runtime)


def read_catalog(folder: Path) -> list[CatalogPlugin]:
    """Return every plugin of the folder that can be installed, by name. One that cannot be read is left out.

    Blocking; may be repeated. Raises `SourceUnavailable` if the folder itself cannot be read.
    """
    try:
        paths = sorted(folder.iterdir(), key=lambda path: path.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SourceUnavailable(f"the plugins directory cannot be read: {error}", scheme="local") from error
    plugins = map(_read, paths)
    return [plugin for plugin in plugins if plugin is not None]


def _read(path: Path) -> CatalogPlugin | None:
    try:
        if not path.is_dir():
            return None
        name = validate_name(path.name)
        manifest = read_manifest(path)
        skills = sorted(displayed(skill.parent.name) for skill in path.glob("skills/*/SKILL.md"))
        adapters = sorted(displayed(f"adapters/{adapter.name}") for adapter in path.glob("adapters/*.py"))
    except (PlugportError, OSError):
        return None
    if name_of(manifest) not in (None, name):
        return None
    return CatalogPlugin(name, manifest, tuple(skills), tuple(adapters))
