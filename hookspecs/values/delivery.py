"""What a backend is asked to do, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from ..json import JSON


class Action(StrEnum):
    """What is asked of a workspace."""

    INSTALL = "install"
    UNINSTALL = "uninstall"
    LIST = "list"
    RESTART = "restart"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A backend's answer to `deliver` and `uninstall`.

    `digest` is the tree's digest (`sha256:<hex>`) as it was read back from the target, None after an
    uninstall. `left` names, relative to the config dir, what an uninstall found edited and so left alone.
    """

    digest: str | None
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """A plugin as it lies on the target.

    `digest` is computed from the files there. `manifest` is the parsed `plugin.yaml`, or its text (the core
    parses it, so that a backend needs no YAML library), or None where there is none.
    """

    name: str
    digest: str
    manifest: Mapping[str, JSON] | str | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit of `Removal.edits` made of a file.

    `content` is the new content in bytes; None deletes the file. `left` describes what stays, in the plugin's own
    words. `needed` names those of `Removal.files` that the file still refers to, and that therefore stay.
    """

    content: bytes | None
    left: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text after an uninstall: `text` is the new text (None: delete the file, nothing of it is left);
    `left` describes, in the plugin's own words (file and rule), what was edited and so stays."""

    text: str | None
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes when a plugin is uninstalled; the backend only reads, writes and deletes.

    Every path is relative to the config dir, with `/`. The backend removes, in this order:

    1. each of `files` whose bytes on the target still have one of the sha256 given (hex; of this version or of
       an earlier one); another digest: the file stays and its path is reported in `Receipt.left`; an absent file
       is fine;
    2. each of `directories`, where it is empty after that (never with its content);
    3. blocks from each of `memory_files` that exists, by `clean_memory(text)`;
    4. entries from `settings_file`, if it exists, by `clean_settings(text, claude_dir)`, where `claude_dir` is
       the absolute path of `<config dir>/.claude` on the target;
    5. `plugins/<name>` itself, atomically, last: a repeated uninstall after a crash finds it and goes on.

    A cleaned text is written back with a rename, keeping owner and mode, and only where it changed. What a
    cleaning left goes into `Receipt.left` as `<path>: <what>`.
    """

    name: str
    skills: tuple[str, ...] = ()
    files: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    directories: tuple[str, ...] = ()
    memory_files: tuple[str, ...] = ("CLAUDE.md", "AGENTS.md")
    settings_file: str = ".claude/settings.json"
    clean_memory: Callable[[str], Cleaned] = lambda text: Cleaned(text)
    clean_settings: Callable[[str, str], Cleaned] = lambda text, claude_dir: Cleaned(text)
