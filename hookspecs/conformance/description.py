"""How the author of a provider describes it to the kit: the provider, a place to try it, a way to see what it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType

from ..values import PolicyRequest, ServiceSettings, Source, Workspace
from .filesystems import TargetFilesystem

Trouble = Callable[[], AbstractContextManager[object]]
"""Makes a context manager that causes a fault when it is entered and repairs it when it is left."""


@dataclass(frozen=True, slots=True)
class UnderTest:
    """What the description of every kind of provider has.

    `provider` is a module or an object. `settings` are its own, as `StartupContext.settings` has them; `service` is
    what it learns of the service, as `StartupContext.service` has it. While `unreachable` is entered, what the
    provider talks to cannot be reached.
    """

    provider: object
    _: KW_ONLY
    provider_name: str = "provider"
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    service: ServiceSettings = field(default_factory=lambda: ServiceSettings(plugins_dir="/nonexistent"))
    unreachable: Trouble | None = None


CONNECTION_DROPS = "connection-drops"
WORKSPACE_VANISHES = "workspace-vanishes"
DISK_FULL = "disk-full"
TROUBLES = (CONNECTION_DROPS, WORKSPACE_VANISHES, DISK_FULL)
NOISY = "noisy"
NO_COMMANDS = "no-commands"
FEW_TOOLS = "few-tools"
CONDITIONS = (NOISY, NO_COMMANDS, FEW_TOOLS)


@dataclass(frozen=True, slots=True)
class BackendUnderTest(UnderTest):
    """A backend provider and a workspace to try it on.

    `workspace` runs, and holds no plugin. `place` reads and changes its config dir by another way than the provider.
    `stopped` is a workspace that does not run. While `unreachable` is entered, the provider cannot find out whether
    `workspace` runs. `troubles` has faults by the names in `TROUBLES`: the connection to the target breaks, the
    workspace ends, the disk is full. They are entered in the middle of a delivery, in the thread that reads the
    stream. `conditions` are what a target may be like for a time, by the names in `CONDITIONS`: what starts commands
    there prints things of its own before and after them; no command can be started; something that the provider needs
    is missing. The tests for what you leave out are skipped as undeclared.
    """

    workspace: Workspace
    place: TargetFilesystem
    stopped: Workspace | None = None
    troubles: Mapping[str, Trouble] = field(default_factory=lambda: MappingProxyType({}))
    conditions: Mapping[str, Trouble] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class SourceUnderTest(UnderTest):
    """A source provider and what can be fetched from it.

    `source` names a plugin that has exactly `files` (path to bytes); those in `executable` are executable. `name` is
    the name in the provider's answer: None if the manifest names the plugin. `absent` is well formed and leads to no
    plugin. Each of `malformed` is a spec that the provider must refuse. While `unreachable` is entered, the source
    cannot be reached. `change` changes the plugin that `source` names.
    """

    source: Source
    files: Mapping[str, bytes]
    executable: frozenset[str] = frozenset()
    name: str | None = None
    absent: Source | None = None
    malformed: tuple[str, ...] = ()
    change: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class PolicyUnderTest(UnderTest):
    """A policy provider, a request that it allows and one that it refuses, both without a bundle.

    While `unreachable` is entered, the policy cannot find out what it needs to decide.
    """

    allowed: PolicyRequest
    refused: PolicyRequest


@dataclass(frozen=True, slots=True)
class ObserverUnderTest(UnderTest):
    """An observer provider.

    `heard` returns how many events have arrived where the observer sends them. While `unreachable` is entered,
    nothing arrives there.
    """

    heard: Callable[[], int] | None = None


@dataclass(frozen=True, slots=True)
class LayoutUnderTest(UnderTest):
    """A layout provider; the first of its `layouts` is tried.

    `refused` are names of plugins that its runtime refuses or uses itself.
    """

    refused: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class FormatUnderTest(UnderTest):
    """A format provider and a plugin of its format.

    `files` are the plugin's (path to bytes), `name` is what its manifest calls it, None if nothing does. `components`
    are some that it has, each as its kind and its name (`("skill", "hello")`). `manifest` is the path of the file by
    which the format is known, None if it needs none.
    """

    files: Mapping[str, bytes]
    name: str | None = None
    components: tuple[tuple[str, str], ...] = ()
    manifest: str | None = None
