"""What makes a delivered plugin active in its runtime: what a layout asks for, and what a backend then does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from ..json import JSON
from .bundle import BundleFile
from .contents import ContentFinding
from .target import TargetQuery, TargetState


@dataclass(frozen=True, slots=True)
class Link:
    """A link at `path` that leads to `target`. Both are places on the target (see `Activation`); the link itself is
    written relative to its folder."""

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the delivered plugin's directory (with the files that were added to it) at `path`, a place on the
    target. It is plugport's alone: an update replaces it, an uninstall removes what nobody edited in it."""

    path: str


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """A small file of plugport's own at `path`, a place on the target. A file that somebody else put there is not
    replaced: the activation fails."""

    path: str
    content: bytes
    executable: bool = False


class FileSyntax(StrEnum):
    """How a settings file is written. JSON with comments and trailing commas is JSONC."""

    JSON = "json"
    JSONC = "jsonc"
    TOML = "toml"
    YAML = "yaml"


@dataclass(frozen=True, slots=True)
class SettingsEntry:
    """A value in a settings file, which may be a person's: `value` under `keys` in the file at `path`.

    Objects on the way are made if they are absent. With `append` the value is added to the list under `keys`, unless
    it is in it. Otherwise another value under the same keys is a conflict, and the activation fails. Every other byte
    of the file stays.
    """

    path: str
    syntax: FileSyntax
    keys: tuple[str, ...]
    value: JSON
    append: bool = False


@dataclass(frozen=True, slots=True)
class MemoryText:
    """Text for the runtime's memory file at `path`: appended between two marker lines that name the plugin."""

    path: str
    text: str


class TakesEffect(StrEnum):
    """When a running agent uses what was installed: by itself, after a command that a person gives it, or when it
    starts the next time."""

    AT_ONCE = "at-once"
    ON_COMMAND = "on-command"
    AT_START = "at-start"


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A component that the runtime cannot use: `component` is `<kind> <name>`, `why` is one sentence."""

    component: str
    why: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A trust that the runtime demands before it uses a part of the plugin. `name` is what a caller grants
    (`hooks`, `mcp-tools`); `why` is one sentence. `entries` and `files` are what grants it, if the caller does. If
    there are none, plugport cannot grant it, and `why` says what a person does by hand."""

    name: str
    why: str
    entries: tuple[SettingsEntry, ...] = ()
    files: tuple[PlacedFile, ...] = ()

    @property
    def has_means(self) -> bool:
        """Whether plugport can grant it."""
        return bool(self.entries or self.files)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent's own command printed: at most the bytes that the question allows. `exit_code` is None if it
    did not end in time, and 127 if there is no such command."""

    exit_code: int | None
    output: bytes
    errors: bytes = b""


class SeenState(StrEnum):
    """Whether the agent itself sees the plugin."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Seen:
    """What an answer says: `state`, and why it is not YES. `complaint` is the agent's own words about this plugin, at
    most a few lines, or None. `broken` says that the agent refuses to start or calls its configuration invalid."""

    state: SeenState
    reason: str | None = None
    complaint: str | None = None
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A command by which the agent can be asked what it sees: no model, no network, nothing changed.

    `command` is run without a shell, in the config dir, with `environment` added; places in both are written
    `${config_dir}` and `${home}`. `read` is a pure function.
    """

    command: tuple[str, ...]
    read: Callable[[Answer], Seen]
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    max_output: int = 1024 * 1024


def _no_file(path: str) -> bytes:
    raise KeyError(path)


def _no_chunks(path: str) -> Iterator[bytes]:
    raise KeyError(path)


@dataclass(frozen=True, slots=True)
class LayoutTarget:
    """What a layout is told about where the plugin goes.

    `name` is the plugin's name on the target, which differs from `Contents.name` after an install under another name.
    `digest` is the tree's as it was fetched (`sha256:<hex>`). `layout` and `runtime` are the workspace's; `options`
    are its options, which the layout may read but not check. `read` returns the bytes of a file of the plugin, by its
    path below the plugin's root; it raises `KeyError` if there is no such file. `files` are all its files, sorted by
    path, or empty if who asks has no tree; `chunks` gives the bytes of a large one piece by piece, and raises as
    `read` does.
    """

    name: str
    digest: str
    layout: str
    runtime: str | None = None
    options: Mapping[str, JSON] = field(default_factory=lambda: MappingProxyType({}))
    read: Callable[[str], bytes] = _no_file
    files: tuple[BundleFile, ...] = ()
    chunks: Callable[[str], Iterator[bytes]] = _no_chunks


def _nothing(state: TargetState) -> tuple[ContentFinding, ...]:
    return ()


def _no_query(state: TargetState) -> TargetQuery:
    return TargetQuery()


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """What a layout asks for, beside the plugin's directory `<config dir>/plugins/<name>` (the hook `lay_out`).

    A place on the target is a path below the config dir with `/`, or below the agent's home if it starts with `~/`.
    In entries, memory texts and placed files `${config_dir}` and `${home}` stand for the absolute paths.

    `tree_files` are added to the plugin's directory, by path below it; they replace nothing that it has.
    `unsupported` and `findings` say what the runtime will not do. `takes_effect` says when a running agent uses it;
    `needs_restart` whether the service should restart it. `query` asks what `check` must know: it returns findings,
    and one that is an ERROR refuses the install before anything is written. If the answer to `query` shows that more
    must be known, `look_again` says what: it is asked for in a round trip of its own, twice at most.
    """

    tree_files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    links: tuple[Link, ...] = ()
    copies: tuple[Copy, ...] = ()
    files: tuple[PlacedFile, ...] = ()
    entries: tuple[SettingsEntry, ...] = ()
    texts: tuple[MemoryText, ...] = ()
    unsupported: tuple[Unsupported, ...] = ()
    findings: tuple[ContentFinding, ...] = ()
    grants: tuple[Grant, ...] = ()
    takes_effect: TakesEffect = TakesEffect.AT_START
    needs_restart: bool = True
    question: Question | None = None
    query: TargetQuery = field(default_factory=TargetQuery)
    check: Callable[[TargetState], tuple[ContentFinding, ...]] = _nothing
    look_again: Callable[[TargetState], TargetQuery] = _no_query


@dataclass(frozen=True, slots=True)
class TargetWrite:
    """A file to write: `content` at `path` (None: delete it). It is written only if what is there now has the digest
    `expected` (`sha256:<hex>`; None: nothing is there) or has the new bytes already."""

    path: str
    content: bytes | None
    expected: str | None
    executable: bool = False


@dataclass(frozen=True, slots=True)
class TargetLink:
    """A link to make at `path` with the text `text` (None: remove the link whose text is `expected`). It is made only
    if nothing is there, or a link with that text or with `expected`."""

    path: str
    text: str | None
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class TargetCopy:
    """A copy of the plugin's directory at `path` that is to be `present`, or not. What is there now is replaced or
    removed; unless it has the digest `expected` (`sha256:<hex>`), it is set aside as what somebody edited is."""

    path: str
    present: bool
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class TargetChanges:
    """What a backend does on a target beside a plugin's directory. `home` is what `~/` stands for.

    In this order: the copies, the writes, the links; then those of `folders` that are empty are removed, in their
    order. At a delivery that is after the swap, at an uninstall before the plugin's directory goes. Each step may be
    repeated and follows no link below the config dir or the home. Folders on the way are made. If anything is
    something else now than a step expects, nothing is changed, and `Receipt.refused` names it.
    """

    home: str | None = None
    copies: tuple[TargetCopy, ...] = ()
    writes: tuple[TargetWrite, ...] = ()
    links: tuple[TargetLink, ...] = ()
    folders: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.copies or self.writes or self.links or self.folders)
