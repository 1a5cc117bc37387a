"""All that the pipeline sees of sources: a narrow protocol, so that a test can put a stub in its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ...hookspecs.values import Resolved, Source


class Sources(Protocol):
    """Registers source providers and resolves sources through them."""

    def register(self, provider: object, name: str) -> None:
        """Add a source provider. Raises `ProviderInvalid`, or `DuplicateProvider` for a scheme that is served."""

    async def resolve(self, source: Source, destination: Path) -> Resolved:
        """Fetch into the empty directory `destination`. Raises `UnknownScheme`, `SourceUnavailable`,
        `SourceTimeout`, `PluginNotFound`, `UnpinnedSource`, `InvalidSource` or `BundleTooLarge`."""

    @property
    def schemes(self) -> Sequence[str]:
        """The schemes that can be resolved, sorted."""
