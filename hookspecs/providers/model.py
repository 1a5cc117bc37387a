"""Providers as data: what was found, what it implements, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from .. import specs


class ProviderStatus(StrEnum):
    """What became of a provider."""

    LOADED = "loaded"
    FAILED = "failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Implementation:
    """One hook of one provider: the function, the arguments that it takes, and whether it is `async def`."""

    function: Callable[..., object]
    arguments: tuple[str, ...]
    is_async: bool


@dataclass(frozen=True, slots=True)
class Provider:
    """The description of a provider.

    `reason` is one line for its author or operator; it is set unless the provider is LOADED. `hooks` has the hooks
    that plugport calls. `import_seconds` is the time that its import took. `hook_api_version` is the version that it
    was written for; a provider that does not say has the present one. Each of `notes` is one line for its author:
    something that works today and should change. `config_dirs` says for a layout where the agent's folder is if
    nobody moved it (`~/.claude`).
    """

    name: str
    distribution: str
    version: str
    status: ProviderStatus
    reason: str | None = None
    plugin: object | None = None
    hooks: Mapping[str, Implementation] = field(default_factory=lambda: MappingProxyType({}))
    schemes: tuple[str, ...] = ()
    backend: str | None = None
    layouts: tuple[str, ...] = ()
    format: str | None = None
    config_dirs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    import_seconds: float = 0.0
    hook_api_version: int = specs.HOOK_API_VERSION
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Return how messages name it: `name (distribution version)`."""
        return f"{self.name} ({self.distribution} {self.version})"


class ProviderInvalid(Exception):
    """Raised when an object cannot be a provider. The text names the provider and its distribution; `reason` says
    what its author must change."""

    def __init__(self, label: str, reason: str) -> None:
        super().__init__(f"{label}: {reason}")
        self.reason = reason


def conflicts(providers: Iterable[Provider]) -> list[str]:
    """Return one line for each scheme, backend, layout and format that two loaded providers serve; it stops the
    start-up."""
    owners: dict[str, Provider] = {}
    lines = []
    for provider in providers:
        if provider.status is not ProviderStatus.LOADED:
            continue
        claims = [f"the scheme {scheme}" for scheme in provider.schemes]
        claims += [f"the layout {layout}" for layout in provider.layouts]
        claims += [f"the backend {provider.backend}"] if provider.backend else []
        claims += [f"the format {provider.format}"] if provider.format else []
        for claim in claims:
            owner = owners.setdefault(claim, provider)
            if owner is not provider:
                lines.append(
                    f"{claim} is served by {owner.label} and by {provider.label}: "
                    "block one of them with PLUGPORT_PROVIDERS_BLOCK or uninstall it"
                )
    return lines
