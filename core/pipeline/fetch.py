"""resolve -> check -> pack: from a source to a bundle in the cache, with nothing left behind on failure."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ...hookspecs import errors
from ...hookspecs.values import Resolved, Source
from ...hookspecs.values.bundle import Bundle, TreeEntry, pack
from .cache import ArchiveCache
from .manifest import plugin_name, read_manifest
from .sources import Sources
from .tree_check import check_tree

Phase = Callable[[str], Awaitable[None]]
RevisionOf = Callable[[Source], Awaitable[str | None]]
_MOST_REVISIONS = 4096


async def _no_revision(_source: Source) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Pins:
    """What a request holds the fetched plugin to: its name, its tree's digest, the sha256 of `plugin.yaml`."""

    name: str | None = None
    digest: str | None = None
    sha256: str | None = None


class Fetcher:
    """Makes bundles. `folder` is for what is under way; what a crash left there goes at the start. `revision_of` says
    what a fetch would bring: what was fetched at that revision, and is still in the cache, is not fetched again."""

    def __init__(
        self,
        sources: Sources,
        cache: ArchiveCache,
        folder: Path,
        *,
        max_bytes: int,
        max_files: int,
        revision_of: RevisionOf = _no_revision,
    ) -> None:
        self._sources, self._cache, self._folder = sources, cache, folder
        self._max_bytes, self._max_files = max_bytes, max_files
        self._revision_of = revision_of
        self._known: dict[tuple[str, str], str] = {}
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    @property
    def schemes(self) -> list[str]:
        """The schemes that can be fetched."""
        return list(self._sources.schemes)

    @asynccontextmanager
    async def bundle(self, source: Source, pins: Pins, phase: Phase) -> AsyncIterator[Bundle]:
        """The bundle of a source; its archive stays in the cache as long as the block runs.

        Raises what `Sources.resolve` raises, `UnsafeBundle`, `BundleTooLarge`, `ManifestInvalid`,
        `NameMismatch`, `InvalidPluginName` and `DigestMismatch`.
        """
        await phase("resolving")
        revision = await self._revision_of(source)
        digest = self._known.get((str(source), revision)) if revision is not None else None
        if digest is not None:
            with self._cache.using(digest):
                known = await asyncio.to_thread(self._cache.get, digest)
                if known is not None:
                    _hold(known, pins)
                    yield known
                    return
        fetched = await self._fetch(source, pins, phase)
        if revision is not None and await self._revision_of(source) == revision:
            while len(self._known) >= _MOST_REVISIONS:
                del self._known[next(iter(self._known))]
            self._known[str(source), revision] = fetched.digest
        with self._cache.using(fetched.digest):
            yield fetched

    async def _fetch(self, source: Source, pins: Pins, phase: Phase) -> Bundle:
        work = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._folder))
        try:
            tree = work / "tree"
            tree.mkdir()
            resolved = await self._sources.resolve(source, tree)
            await phase("checking")
            entries = await asyncio.to_thread(check_tree, tree, max_bytes=self._max_bytes, max_files=self._max_files)
            await phase("packing")
            return await asyncio.to_thread(self._pack, resolved, tree, entries, pins, work)
        finally:
            await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)

    def _pack(self, resolved: Resolved, tree: Path, entries: list[TreeEntry], pins: Pins, work: Path) -> Bundle:
        manifest = read_manifest(tree)
        name = plugin_name(resolved, manifest, pins.name)
        try:
            bundle = pack(
                name,
                entries,
                work / "archive.tar",
                manifest=manifest.data if manifest else {},
                revision=resolved.revision,
            )
        except ValueError as error:
            raise errors.UnsafeBundle(".", errors.BundleFault.CHANGED) from error
        _hold(bundle, pins)
        return self._cache.add(bundle)


def _hold(bundle: Bundle, pins: Pins) -> None:
    """Hold a bundle to what was asked for. Raises `NameMismatch` and `DigestMismatch`."""
    if pins.name is not None and pins.name != bundle.name:
        raise errors.NameMismatch(pins.name, bundle.name)
    if pins.sha256 is not None:
        actual = next((file.sha256 for file in bundle.files if file.path == "plugin.yaml"), "no plugin.yaml")
        if actual != pins.sha256.lower().removeprefix("sha256:"):
            raise errors.DigestMismatch("sha256", pins.sha256, actual)
    if pins.digest is not None and bundle.digest != pins.digest.lower():
        raise errors.DigestMismatch("digest", pins.digest, bundle.digest)
