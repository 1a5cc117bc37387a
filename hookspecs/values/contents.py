"""What a plugin has, as a format reads it from a tree: its manifest's fields, and each component with its path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from ..json import JSON


class ComponentKind(StrEnum):
    """What a component of a plugin is. An ASSET is a file that a component uses."""

    SKILL = "skill"
    RULE = "rule"
    COMMAND = "command"
    SUBAGENT = "subagent"
    HOOK = "hook"
    MCP_SERVER = "mcp-server"
    SETTINGS = "settings"
    ASSET = "asset"


class Severity(StrEnum):
    """How much a finding matters: an ERROR makes something fail, a WARNING loses something, a NOTE loses nothing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class ContentFinding:
    """What is wrong with a plugin's file, for its author.

    `rule` is a short name with `-`, the same for each case of the kind.
    `path` is below the plugin's root; `line` and `column` count from 1, 0 if they are not known. `runtime` is the
    runtime that it concerns, None for every one. The text reaches clients: it must not hold the text of an exception.
    """

    rule: str
    severity: Severity
    path: str
    message: str
    line: int = 0
    column: int = 0
    runtime: str | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a plugin.

    `name` is what the runtime calls it. `path` is below the plugin's root: of a skill its `SKILL.md`, of anything
    else the file that declares it. `description` is its author's. `runs` are the command lines that it makes the
    runtime run, as they are written. `data` is what else its declaration says: of a skill, a command, a subagent and
    a rule the front matter; of a hook `event`, `matcher`, `type`, `command`, `timeout`; of an MCP server its entry
    (`command`, `args`, `env`, `url`, `type`, …); of settings the whole.
    """

    kind: ComponentKind
    name: str
    path: str
    description: str | None = None
    runs: tuple[str, ...] = ()
    data: Mapping[str, JSON] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Contents:
    """What a format found in a tree (the hook `read_plugin`).

    `format` is the format's name. `name` is None if nothing in the tree names the plugin. `runtimes` are those that
    the manifest lists. `manifest` is the manifest as it was read, empty if the format has none. Malformed parts are
    `findings`, and are left out of `components`.
    """

    format: str
    name: str | None = None
    version: str | None = None
    description: str | None = None
    author: str | None = None
    licence: str | None = None
    runtimes: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    findings: tuple[ContentFinding, ...] = ()
    manifest: Mapping[str, JSON] = field(default_factory=lambda: MappingProxyType({}))

    def of_kind(self, kind: ComponentKind) -> tuple[Component, ...]:
        """Return the components of one kind, in their order."""
        return tuple(component for component in self.components if component.kind is kind)


class PluginTree:
    """The files of a plugin that were fetched and checked. A format reads from it and changes nothing.

    `files` maps each path below the plugin's root, with `/`, to the regular file on this machine that has its bytes.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files
        self.paths: tuple[str, ...] = tuple(sorted(files))
        """The paths of all files, sorted."""

    def __contains__(self, path: object) -> bool:
        return path in self._files

    def below(self, folder: str) -> Iterable[str]:
        """Yield the paths below a folder (`""`: all), sorted."""
        prefix = f"{folder.rstrip('/')}/" if folder else ""
        return (path for path in self.paths if path.startswith(prefix))

    def size(self, path: str) -> int:
        """Return a file's size in bytes. Raises `KeyError` if there is no such file."""
        return self._files[path].stat().st_size

    def read(self, path: str, limit: int = 1024 * 1024) -> bytes:
        """Return a file's first `limit` bytes. Raises `KeyError` if there is no such file, and `OSError`."""
        with self._files[path].open("rb") as file:
            return file.read(limit)
