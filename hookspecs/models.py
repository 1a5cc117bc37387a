"""The values that hooks take and return: frozen, typed, and free of anything of the service's own."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from plugport.hookspecs.bundles import Bundle

JSON: TypeAlias = "None | bool | int | float | str | Sequence[JSON] | Mapping[str, JSON]"
"""Anything that `json.dumps` writes."""

_T = TypeVar("_T")

EMPTY: Final[Mapping[str, JSON]] = MappingProxyType({})
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,31}\Z")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a plugin comes from: `scheme://spec`.

    What stands behind the scheme is opaque to the core; the source provider reads it.
    """

    scheme: str
    spec: str

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read `scheme://spec`; a bare name means `local://name`.

        Raises `InvalidSource` when the text is empty, has no spec, holds a control character or is longer
        than 2,048 characters, or when the scheme is not a lower-case word (RFC 3986, section 3.1).
        """
        from plugport.hookspecs.errors import InvalidSource, SourceFault

        if not text or not text.strip():
            raise InvalidSource(SourceFault.EMPTY)
        if len(text) > 2048 or text != text.strip() or not text.isprintable():
            raise InvalidSource(SourceFault.MALFORMED)
        scheme, separator, spec = text.partition("://")
        if not separator:
            scheme, spec = "local", text
        if not _SCHEME.match(scheme):
            raise InvalidSource(SourceFault.MALFORMED)
        if not spec:
            raise InvalidSource(SourceFault.EMPTY)
        return cls(scheme, spec)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.spec}"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where one agent runs.

    `backend` is filled in by the core before any backend hook sees the workspace. `org` and `runtime` are
    None where they are not known. `options` belongs to the backend (for `host`: `path`, its config dir).
    """

    id: str
    org: str | None = None
    runtime: str | None = None
    backend: str | None = None
    container: str | None = None
    instance_id: str | None = None
    options: Mapping[str, JSON] = field(default_factory=lambda: EMPTY)

    @property
    def container_name(self) -> str:
        """The container's name: the row's, else `ws-<id>`."""
        return self.container or f"ws-{self.id}"

    @property
    def runtime_name(self) -> str | None:
        """The runtime in one spelling: lower case, `-` for `_`; None where it is not known."""
        return normalise_runtime(self.runtime) if self.runtime else None


def normalise_runtime(runtime: str) -> str:
    """One spelling for a runtime's name: `claude_code` and `claude-code` are equal."""
    return runtime.strip().lower().replace("_", "-")


class RunStateKind(StrEnum):
    """The three answers to "is it running?"."""

    RUNNING = "running"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RunState:
    """Whether a workspace runs: `RunState.RUNNING`, `RunState.STOPPED` or `RunState.unknown(reason)`.

    STOPPED means that the engine said so (exited, never started, absent). UNKNOWN means that nobody could
    say (a hung daemon, a throttled cloud); its reason is for the log and never reaches a client.
    """

    kind: RunStateKind
    reason: str | None = None

    RUNNING: ClassVar[RunState]
    STOPPED: ClassVar[RunState]

    @classmethod
    def unknown(cls, reason: str) -> RunState:
        """The state of a workspace that could not be asked; `reason` is for the log alone."""
        return cls(RunStateKind.UNKNOWN, reason)


RunState.RUNNING = RunState(RunStateKind.RUNNING)
RunState.STOPPED = RunState(RunStateKind.STOPPED)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a source says of the files that it has put into `destination`.

    `name` is the plugin's name that the source vouches for, or None where the manifest names the plugin.
    `revision` is what the source calls this state of the files (a commit, a version), or None.
    """

    name: str | None
    revision: str | None = None


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


class Action(StrEnum):
    """What is asked of a workspace."""

    INSTALL = "install"
    UNINSTALL = "uninstall"
    LIST = "list"
    RESTART = "restart"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """What `check_policy` is asked: before the fetch with `bundle` None, and again with it after the fetch.

    `actor` is who asks: `admin`, `org:<id>` or `workspace:<id>`.
    """

    action: Action
    workspace: Workspace
    source: Source | None
    actor: str
    bundle: Bundle | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A policy's no. The reason goes to the log and to the audit, not into the response."""

    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """What observers hear of: something that has happened, after it was recorded.

    `kind` is `plugin.installed`, `plugin.uninstalled`, `plugin.downloaded` or `operation.failed`; `problem` is
    the slug of the error for the last.
    """

    kind: str
    workspace: str
    plugin: str | None = None
    source: str | None = None
    digest: str | None = None
    operation: str | None = None
    problem: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class KeyValueStore(Protocol):
    """A small durable store of the provider's own: string keys, JSON values, one namespace per provider.

    Every call may be repeated. A key has at most 512 characters, a value at most 64 KiB as JSON; beyond that
    `ValueError` is raised and nothing is written.
    """

    async def get(self, key: str) -> JSON:
        """The value, or None where there is none."""

    async def put(self, key: str, value: JSON) -> None:
        """Write the value, replacing what was there."""

    async def delete(self, key: str) -> bool:
        """Forget the key; whether it was there."""

    async def keys(self, prefix: str = "") -> Sequence[str]:
        """The keys that start with `prefix`, sorted."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What every provider may know of the service that it runs in.

    `plugins_dir`: the curated registry behind `local://` (an absolute path). `config_dirs`: config dirs by
    runtime, from `PLUGPORT_CONFIG_DIRS`. `allow_unpinned`: whether a source may fetch what is not pinned.
    `source_allow_hosts`: hosts inside the network that sources may reach. `fetch_timeout`: seconds.
    `max_tree_bytes`, `max_tree_files`: the limits of a fetched tree.
    """

    plugins_dir: str
    config_dirs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    allow_unpinned: bool = False
    source_allow_hosts: tuple[str, ...] = ()
    fetch_timeout: float = 300.0
    max_tree_bytes: int = 100 * 1024 * 1024
    max_tree_files: int = 10_000


@dataclass(frozen=True, slots=True)
class StartupContext:
    """What the service hands to a provider at `startup`.

    `settings`: the environment's `PLUGPORT_<PROVIDER>_<KEY>` as `{"key": value}`, where PROVIDER is the
    entry point's name in capitals with `_` for `-`. `audit(what, fields)` writes an entry to the audit log.
    `wait(awaitable)` is for a hook that is a plain `def`, in its worker thread: it runs an awaitable (of
    `store` or `audit`) on the service's loop and returns its result; from the loop itself it raises
    `RuntimeError`.
    """

    provider: str
    settings: Mapping[str, str]
    service: ServiceSettings
    store: KeyValueStore
    audit: Callable[[str, Mapping[str, JSON]], Awaitable[None]]
    logger: logging.Logger
    wait: Callable[[Awaitable[_T]], _T]


@dataclass(frozen=True, slots=True)
class RuleDescriptor:
    """A lint rule, named without importing it: `code` (`PP001`), `version` (of its behaviour: change it and
    cached results are dropped) and `target` (`module:Class`)."""

    code: str
    version: str
    target: str
