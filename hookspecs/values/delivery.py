"""What a backend is asked to do, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from ..json import JSON
from .activation import TargetChanges


class Action(StrEnum):
    """What a caller asks of a workspace.

    `LIST` is deprecated: the service asks no hook about it. It stays for providers of hook API 2.
    """

    INSTALL = "install"
    UNINSTALL = "uninstall"
    LIST = "list"
    RESTART = "restart"
    DOWNLOAD = "download"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A backend's answer to `deliver` and `uninstall`.

    `digest` is the tree's digest (`sha256:<hex>`) as it was read back from the target, None after an
    uninstall. `left` names, relative to the config dir, what an uninstall found edited and therefore left.

    `kept_files` names the files of the plugin's directory that somebody edited or added, as they were called
    (`plugins/<name>/notes.md`); they were set aside in the directories `kept`, below `plugins/.plugport/kept/`.
    `dropped` names older directories there that were deleted to hold the bounds. `restored` names the files that a
    restore put back. All are relative to the config dir.

    `refused` names the places of an activation (see `TargetChanges`) that hold something else than was expected.
    """

    digest: str | None
    left: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    kept_files: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """A plugin as it lies on the target.

    `digest` (`sha256:<hex>`) is computed from the files there; None if one of them cannot be read. `manifest` is the
    parsed `plugin.yaml`, or its text (the core parses it, so that a backend needs no YAML library), or None if there
    is none.
    """

    name: str
    digest: str | None
    manifest: Mapping[str, JSON] | str | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit of `Removal.edits` made of a file.

    `content` is the new content in bytes; None deletes the file. `left` describes what stays, in the plugin's own
    words. `needed` names those of `Removal.files` that the file still refers to, and that therefore stay. If it names
    the plugin's own directory (`plugins/<name>`), all of that is set aside.
    """

    content: bytes | None
    left: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What `clean_memory` or `clean_settings` of a `Removal` made of a text.

    `text` is the new text; None deletes the file. `left` describes what was edited and therefore stays.
    """

    text: str | None
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes when a plugin is uninstalled; the backend only reads, writes and deletes.

    Every path is relative to the config dir, with `/`. A backend follows no link below the config dir: what is a
    link or lies behind one stays, and `Receipt.left` names it. The backend, in this order:

    1. reads each file of `edits` that exists, and calls the edit with its bytes and the absolute path of the config
       dir. Edits are pure; what one leaves goes into `Receipt.left` as `<path>: <what>`;
    2. removes each of `files` whose bytes on the target still have one of the sha256 given (hex; of this version or
       of an earlier one). A file with another digest, and one that an edit calls `needed`, stays and is named in
       `Receipt.left`; an absent file is no error;
    3. removes each of `directories` that is empty then;
    4. writes back what the edits changed, with a rename that keeps owner and mode, or deletes the file. If a file
       changed since it was read, the backend starts anew;
    5. removes `plugins/<name>` atomically, last, so that a repeated uninstall after a crash finds it and goes on.
       What somebody edited in it is set aside (`Receipt.kept`). With `keeps_plugin` it stays as it is.

    `known` are digests (`sha256:<hex>`) of versions that plugport delivered: a directory without a mark of its own
    that has one of them holds nothing edited. With `restore` (the name of a directory below
    `plugins/.plugport/kept/<name>/`, or `newest`) the backend does nothing of that: it puts the files from there back
    into `plugins/<name>`, and sets aside what they replace.

    `changes` undoes the activation; the backend does that first.

    `memory_files`, `settings_file`, `clean_memory` and `clean_settings` say what `edits` says, for backends of hook
    API 2, on text. Deprecated: they go with hook API 4. `skills` has no reader any more.
    """

    name: str
    skills: tuple[str, ...] = ()
    files: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    directories: tuple[str, ...] = ()
    edits: Mapping[str, Callable[[bytes, str], Edited]] = field(default_factory=lambda: MappingProxyType({}))
    known: tuple[str, ...] = ()
    keeps_plugin: bool = False
    restore: str | None = None
    changes: TargetChanges | None = None
    memory_files: tuple[str, ...] = ("CLAUDE.md", "AGENTS.md")
    settings_file: str = ".claude/settings.json"
    clean_memory: Callable[[str], Cleaned] = lambda text: Cleaned(text)
    clean_settings: Callable[[str, str], Cleaned] = lambda text, claude_dir: Cleaned(text)
