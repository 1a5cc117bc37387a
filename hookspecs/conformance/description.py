"""How the author of a provider describes it to the kit: the provider, a place to try it, a way to see what it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from ..values import PolicyRequest, ServiceSettings, Source, Workspace
from .filesystems import TargetFilesystem


class UnderTest(Protocol):
    """What the description of every kind of provider has."""

    @property
    def provider(self) -> object:
        """The provider: a module, or an object."""

    @property
    def provider_name(self) -> str:
        """The provider's name."""

    @property
    def settings(self) -> Mapping[str, str]:
        """Its own settings, as `StartupContext.settings` has them."""

    @property
    def service(self) -> ServiceSettings:
        """What the provider learns of the service, as `StartupContext.service` has it."""


Trouble = Callable[[], AbstractContextManager[object]]
"""Makes a context manager that causes a fault when it is entered and repairs it when it is left."""

CONNECTION_DROPS = "connection-drops"
WORKSPACE_VANISHES = "workspace-vanishes"
DISK_FULL = "disk-full"
TROUBLES = (CONNECTION_DROPS, WORKSPACE_VANISHES, DISK_FULL)


@dataclass(frozen=True, slots=True)
class BackendUnderTest:
    """A backend provider and a workspace to try it on.

    `workspace` runs, and holds no plugin. `place` reads and changes its config dir by another way than the provider.
    `stopped` is a workspace that does not run. While `unreachable` is entered, the provider cannot find out whether
    `workspace` runs. `troubles` has faults by the names in `TROUBLES`: the connection to the target breaks, the
    workspace ends, the disk is full. They are entered in the middle of a delivery, in the thread that reads the
    stream. The tests for what you leave out are skipped as undeclared.
    """

    provider: object
    workspace: Workspace
    place: TargetFilesystem
    provider_name: str = "provider"
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    service: ServiceSettings = field(default_factory=lambda: ServiceSettings(plugins_dir="/nonexistent"))
    stopped: Workspace | None = None
    unreachable: Trouble | None = None
    troubles: Mapping[str, Trouble] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class SourceUnderTest:
    """A source provider and what can be fetched from it.

    `source` names a plugin that has exactly `files` (path to bytes); those in `executable` are executable. `name` is
    the name in the provider's answer: None if the manifest names the plugin. `absent` is well formed and leads to no
    plugin. Each of `malformed` is a spec that the provider must refuse. While `unreachable` is entered, the source
    cannot be reached. `change` changes the plugin that `source` names.
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
    """A policy provider, a request that it allows and one that it refuses, both without a bundle.

    While `unreachable` is entered, the policy cannot find out what it needs to decide.
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
    """An observer provider.

    `heard` returns how many events have arrived where the observer sends them. While `unreachable` is entered,
    nothing arrives there.
    """

    provider: object
    heard: Callable[[], int] | None = None
    provider_name: str = "provider"
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    service: ServiceSettings = field(default_factory=lambda: ServiceSettings(plugins_dir="/nonexistent"))
    unreachable: Trouble | None = None
