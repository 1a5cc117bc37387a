"""Fetches a source into a bundle: resolve, check, pack. A failure leaves nothing behind."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ...hookspecs import errors
from ...hookspecs.values import JSON, Bundle, Resolved, Source, TreeEntry, pack
from .cache import ArchiveCache, key_of
from .manifest import plugin_name, read_manifest
from .read import PluginReader, read_contents, with_name
from .remove_tree import discard_tree
from .tree_check import check_tree

PublishPhase = Callable[[str], Awaitable[None]]
_MOST_REVISIONS = 4096


async def ignore_phase(_name: str) -> None:
    """Publish nothing: for a fetch that is no operation."""


class SourceResolver(PluginReader, Protocol):
    """Fetches plugins from their sources and asks the formats; the dispatcher is one."""

    async def resolve_source(self, source: Source, destination: Path, deadline: float) -> Resolved:
        """Fetch into the empty directory `destination` within `deadline` seconds. Raises `UnknownScheme` and what
        the hook `resolve_source` may raise."""

    async def source_revision(self, source: Source) -> str | None:
        """Return the revision that a fetch would bring; None if it is not known. Never raises."""


@dataclass(frozen=True, slots=True)
class Pins:
    """What the fetched plugin must have: its name, the digest of its tree, the sha256 of its `plugin.yaml`. `rename`
    is the name that it gets instead of its own."""

    name: str | None = None
    digest: str | None = None
    sha256: str | None = None
    rename: str | None = None


class Fetcher:
    """Makes bundles. A fetch has `timeout` seconds. `folder` holds the fetches that are under way; what a crash left
    there is deleted at the start. A source is not fetched again if it was fetched at its present revision and the
    bundle is still in the cache."""

    def __init__(
        self,
        resolver: SourceResolver,
        cache: ArchiveCache,
        folder: Path,
        *,
        max_bytes: int,
        max_files: int,
        timeout: float,
    ) -> None:
        self._resolver, self._cache, self._folder = resolver, cache, folder
        self._max_bytes, self._max_files = max_bytes, max_files
        self._timeout = timeout
        self._keys: dict[tuple[str, str, str | None], str] = {}
        discard_tree(folder)
        folder.mkdir(parents=True, exist_ok=True)

    @asynccontextmanager
    async def bundle(
        self, source: Source, pins: Pins, publish_phase: PublishPhase = ignore_phase
    ) -> AsyncIterator[Bundle]:
        """Give the bundle of a source. Its archive stays in the cache until the block ends.

        Raises what `SourceResolver.resolve_source` raises, `UnsafeBundle`, `BundleTooLarge`, `ManifestInvalid`,
        `NameMismatch`, `InvalidPluginName` and `DigestMismatch`.
        """
        await publish_phase("resolving")
        revision = await self._resolver.source_revision(source)
        key = self._keys.get((str(source), revision, pins.rename)) if revision is not None else None
        if key is not None:
            with self._cache.using(key):
                cached = await asyncio.to_thread(self._cache.get, key)
                if cached is not None:
                    _verify_pins(cached, pins)
                    yield cached
                    return
        fetched = await self._fetch(source, pins, publish_phase)
        if revision is not None and await self._resolver.source_revision(source) == revision:
            while len(self._keys) >= _MOST_REVISIONS:
                del self._keys[next(iter(self._keys))]
            self._keys[str(source), revision, pins.rename] = key_of(fetched)
        with self._cache.using(key_of(fetched)):
            yield fetched

    @asynccontextmanager
    async def once_more(self, source: Source, name: str, digest: str) -> AsyncIterator[Bundle]:
        """Give the bundle of a version that was fetched before: from the cache, else from its source.

        Its archive stays in the cache until the block ends. Raises what `bundle` raises.
        """
        cached = await asyncio.to_thread(self._cache.find, name, digest)
        if cached is None:
            async with self.bundle(source, Pins(digest=digest, rename=name)) as fetched:
                yield fetched
            return
        with self._cache.using(key_of(cached)):
            yield cached

    async def _fetch(self, source: Source, pins: Pins, publish_phase: PublishPhase) -> Bundle:
        staging = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._folder))
        try:
            tree = staging / "tree"
            tree.mkdir()
            resolved = await self._resolver.resolve_source(source, tree, self._timeout)
            await publish_phase("checking")
            entries = await asyncio.to_thread(check_tree, tree, max_bytes=self._max_bytes, max_files=self._max_files)
            await publish_phase("reading")
            manifest = await asyncio.to_thread(read_manifest, tree)
            contents = await read_contents(self._resolver, entries, manifest)
            contents, resolved = with_name(contents, resolved, manifest)
            await publish_phase("packing")
            packed = await asyncio.to_thread(self._pack, resolved, manifest, entries, pins, staging)
            return await asyncio.to_thread(self._cache.add, replace(packed, contents=contents))
        finally:
            await asyncio.to_thread(discard_tree, staging)

    def _pack(
        self,
        resolved: Resolved,
        manifest: Mapping[str, JSON],
        entries: list[TreeEntry],
        pins: Pins,
        staging: Path,
    ) -> Bundle:
        name = plugin_name(resolved, manifest, pins.name)
        try:
            packed = pack(
                pins.rename or name, entries, staging / "archive.tar", manifest=manifest, revision=resolved.revision
            )
        except ValueError as error:
            raise errors.UnsafeBundle(".", errors.BundleFault.CHANGED) from error
        bundle = replace(packed, origin=resolved.origin)
        _verify_pins(bundle, pins)
        return bundle


def _verify_pins(bundle: Bundle, pins: Pins) -> None:
    """Compare the bundle with what was asked for. Raises `NameMismatch` and `DigestMismatch`."""
    if pins.name is not None and pins.name != bundle.name:
        raise errors.NameMismatch(pins.name, bundle.name)
    if pins.sha256 is not None:
        actual = next((file.sha256 for file in bundle.files if file.path == "plugin.yaml"), "no plugin.yaml")
        if actual != pins.sha256.lower().removeprefix("sha256:"):
            raise errors.DigestMismatch("sha256", pins.sha256, actual)
    if pins.digest is not None and bundle.digest != pins.digest.lower():
        raise errors.DigestMismatch("digest", pins.digest, bundle.digest)
