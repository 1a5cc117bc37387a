"""The version of a plugin that an install replaces: what must be known to put it back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ...hookspecs import errors
from ...hookspecs.values import JSON, Bundle, Source
from ..operations.model import InstallRequest, Operation
from ..store.installed import InstalledRecord
from .fetch import Fetcher


@dataclass(frozen=True, slots=True)
class VersionBefore:
    """What was installed. `digest` is that of the tree as its source gave it; `layout` is None in old records."""

    name: str
    source: str
    digest: str
    layout: str | None = None
    grants: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: InstalledRecord | None, operation: Operation) -> VersionBefore | None:
        """Return what was installed before the operation's first attempt; None if the plugin was not."""
        if operation.prepared is not None and "before" in operation.prepared:
            stored: Any = operation.prepared["before"]
            return None if stored is None else cls(**{**stored, "grants": tuple(stored["grants"])})
        if record is None:
            return None
        activation: Mapping[str, Any] = record.activation or {}
        digest = str(activation.get("source_digest") or record.digest)
        return cls(record.name, record.source, digest, record.layout, tuple(activation.get("grants") or ()))

    def to_json(self) -> dict[str, JSON]:
        """Return this as an operation keeps it."""
        fields = {"name": self.name, "source": self.source, "digest": self.digest, "layout": self.layout}
        return {**fields, "grants": list(self.grants)}

    @property
    def request(self) -> InstallRequest:
        """The request that installs it as it was."""
        source = Source.parse(self.source)
        return InstallRequest(
            source, self.digest, restart=False, name=self.name, replace=True, grants=self.grants, ask=False
        )

    @asynccontextmanager
    async def held(self, fetcher: Fetcher) -> AsyncIterator[Bundle]:
        """Give its bundle, whose archive stays until the block ends.

        Raises `ActivationImpossible` if it is neither in the cache nor at its source any more.
        """
        async with AsyncExitStack() as stack:
            try:
                fetched = fetcher.once_more(Source.parse(self.source), self.name, self.digest)
                bundle = await stack.enter_async_context(fetched)
            except errors.PlugportError as error:
                fault = errors.ActivationFault.NO_WAY_BACK
                raise errors.ActivationImpossible(f"plugins/{self.name}", fault) from error
            yield bundle
