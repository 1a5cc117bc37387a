"""What the author of a provider tells the kit: the provider, somewhere to work, and how to see what it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from ..values import PolicyRequest, ServiceSettings, Source, Workspace
from .filesystems import Place


class UnderTest(Protocol):
    """What every kind of provider's description has."""

    @property
    def provider(self) -> object:
        """The provider: a module, or an object."""

    @property
    def provider_name(self) -> str:
        """The name that its settings go by."""

    @property
    def settings(self) -> Mapping[str, str]:
        """Its own settings, as `StartupContext.settings` has them."""

    @property
    def service(self) -> ServiceSettings:
        """What it is told of the service."""


Trouble = Callable[[], AbstractContextManager[object]]
"""Brings trouble when it is entered, and mends it when it is left."""

CONNECTION_DROPS = "connection-drops"
WORKSPACE_VANISHES = "workspace-vanishes"
DISK_FULL = "disk-full"
TROUBLES = (CONNECTION_DROPS, WORKSPACE_VANISHES, DISK_FULL)


@dataclass(frozen=True, slots=True)
class BackendUnderTest:
    """A backend provider and a workspace to try it on.

    `workspace` runs, and holds no plugin. `place` sees and changes its config dir by another way than the provider.
    `stopped` is a workspace that does not run. While `unreachable` is entered nobody can say whether `workspace`
    runs. `troubles` are entered in the middle of a delivery, in the thread that reads the stream, by the names in
    `TROUBLES`: the connection to the target breaks, the workspace ends, the disk has no room left. What is left out
    is told as undeclared, not as passed.
    """

    provider: object
    workspace: Workspace
    place: Place
    provider_name: str = "provider"
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    service: ServiceSettings = field(default_factory=lambda: ServiceSettings(plugins_dir="/nonexistent"))
    stopped: Workspace | None = None
    unreachable: Trouble | None = None
    troubles: Mapping[str, Trouble] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class SourceUnderTest:
    """A source provider and what can be fetched from it.

    `source` names a plugin that has exactly `files` (path to bytes) and those of `executable`; `name` is what the
    source vouches for, None where the manifest names the plugin. `absent` is well formed and leads to no plugin; each
    of `malformed` is a spec that the provider must refuse. While `unreachable` is entered, the source cannot be
    reached. `change` alters what `source` leads to.
    """

    provider: object
    source: Source
    files: Mapping[str, bytes]
    executable: frozenset[str] = frozenset()
    name: str | None = None
    provider_name: str = "provider"
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    service: ServiceSettings = field(default_factory=lambda: ServiceSettings(plugins_dir="/nonexistent"))
    absent: Source | None = None
    malformed: tuple[str, ...] = ()
    unreachable: Trouble | None = None
    change: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class PolicyUnderTest:
    """A policy provider, a request that it lets pass and one that it refuses, both as they are before the fetch.

    While `unreachable` is entered, the policy cannot find out what it needs to know.
    """

    provider: object
    allowed: PolicyRequest
    refused: PolicyRequest
    provider_name: str = "provider"
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    service: ServiceSettings = field(default_factory=lambda: ServiceSettings(plugins_dir="/nonexistent"))
    unreachable: Trouble | None = None


@dataclass(frozen=True, slots=True)
class ObserverUnderTest:
    """An observer. `heard` counts what has arrived where it sends its events; while `unreachable` is entered, nothing
    arrives there."""

    provider: object
    heard: Callable[[], int] | None = None
    provider_name: str = "provider"
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    service: ServiceSettings = field(default_factory=lambda: ServiceSettings(plugins_dir="/nonexistent"))
    unreachable: Trouble | None = None
