"""The real registry of sources: it hands each to the provider of its scheme."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..hookspecs.providers.discovery import examine
from ..hookspecs.values import Resolved, Source
from .dispatcher import Dispatcher
from .pipeline.sources import Sources


class ProviderSources:
    """Sources by way of the dispatcher; a fetch has `fetch_timeout` seconds."""

    def __init__(self, dispatcher: Dispatcher, fetch_timeout: float) -> None:
        self._dispatcher, self._fetch_timeout = dispatcher, fetch_timeout

    def register(self, provider: object, name: str) -> None:
        """See `Sources.register`."""
        self._dispatcher.add(examine(provider, name))

    async def resolve(self, source: Source, destination: Path) -> Resolved:
        """See `Sources.resolve`."""
        return await self._dispatcher.resolve_source(source, destination, self._fetch_timeout)

    @property
    def schemes(self) -> Sequence[str]:
        """See `Sources.schemes`."""
        return self._dispatcher.schemes


def _held_to_the_protocol(real: ProviderSources) -> Sources:
    """Never called: the type checker refuses it when the registry drifts from what the pipeline expects."""
    return real
