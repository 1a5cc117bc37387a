"""What the service gives a provider at its start."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, TypeVar

from ..json import JSON

_T = TypeVar("_T")


class KeyValueStore(Protocol):
    """A small durable store of JSON values by string keys. Each provider has a namespace of its own.

    Every call may be repeated. A key has at most 512 characters, a value at most 64 KiB as JSON; a longer one raises
    `ValueError`, and nothing is written.
    """

    async def get(self, key: str) -> JSON:
        """Return the value, or None if there is none."""

    async def put(self, key: str, value: JSON) -> None:
        """Write the value. It replaces an older one."""

    async def delete(self, key: str) -> bool:
        """Delete the key. Return whether it was there."""

    async def keys(self, prefix: str = "") -> Sequence[str]:
        """Return the keys that start with `prefix`, sorted."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What every provider may know of the service that it runs in.

    `plugins_dir`: the directory of the curated plugins behind `local://` (an absolute path). `config_dirs`: config
    dirs by runtime, from `PLUGPORT_CONFIG_DIRS`. `allow_unpinned`: whether a source may fetch what is not pinned.
    `source_allow_hosts`: hosts inside the network that sources may reach. `fetch_timeout`: seconds.
    `max_tree_bytes`, `max_tree_files`: the limits of a fetched tree. `kept_files`, `kept_bytes`: how much of what
    people edited a target keeps below `plugins/.plugport/kept/`, all plugins together; the newest always stays.
    """

    plugins_dir: str
    config_dirs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    allow_unpinned: bool = False
    source_allow_hosts: tuple[str, ...] = ()
    fetch_timeout: float = 300.0
    max_tree_bytes: int = 100 * 1024 * 1024
    max_tree_files: int = 10_000
    kept_files: int = 1_000
    kept_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StartupContext:
    """The argument of `startup`.

    `settings`: the environment's `PLUGPORT_<PROVIDER>_<KEY>` as `{"key": value}`, where PROVIDER is the
    entry point's name in capitals with `_` for `-`. `audit(what, fields)` writes an entry to the audit log.
    `wait(awaitable)` is for a hook that is a plain `def`, in its worker thread: it runs an awaitable (of
    `store` or `audit`) on the service's loop and returns its result. Called on the loop itself it raises
    `RuntimeError`.
    """

    provider: str
    settings: Mapping[str, str]
    service: ServiceSettings
    store: KeyValueStore
    audit: Callable[[str, Mapping[str, JSON]], Awaitable[None]]
    logger: logging.Logger
    wait: Callable[[Awaitable[_T]], _T]
