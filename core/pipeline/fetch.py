"""resolve -> check -> pack: from a source to a bundle in the cache, with nothing left behind on failure."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from plugport.core.pipeline.cache import ArchiveCache
from plugport.core.pipeline.check import check_tree
from plugport.core.pipeline.manifest import plugin_name, read_manifest
from plugport.core.pipeline.sources import Sources
from plugport.hookspecs import errors
from plugport.hookspecs.bundles import Bundle, TreeEntry, pack
from plugport.hookspecs.models import Resolved, Source

Phase = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pins:
    """What a request holds the fetched plugin to: its name, its tree's digest, the sha256 of `plugin.yaml`."""

    name: str | None = None
    digest: str | None = None
    sha256: str | None = None


class Fetcher:
    """Makes bundles. `folder` is for what is under way; what a crash left there goes at the start."""

    def __init__(
        self, sources: Sources, cache: ArchiveCache, folder: Path, *, max_bytes: int, max_files: int
    ) -> None:
        self._sources, self._cache, self._folder = sources, cache, folder
        self._max_bytes, self._max_files = max_bytes, max_files
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
        work = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._folder))
        try:
            tree = work / "tree"
            tree.mkdir()
            await phase("resolving")
            resolved = await self._sources.resolve(source, tree)
            await phase("checking")
            entries = await asyncio.to_thread(check_tree, tree, max_bytes=self._max_bytes, max_files=self._max_files)
            await phase("packing")
            packed = await asyncio.to_thread(self._pack, resolved, tree, entries, pins, work)
        finally:
            await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
        with self._cache.using(packed.digest):
            yield packed

    def _pack(self, resolved: Resolved, tree: Path, entries: list[TreeEntry], pins: Pins, work: Path) -> Bundle:
        origin = next((entry.origin for entry in entries if entry.path == "plugin.yaml"), None)
        manifest = read_manifest(tree)
        name = plugin_name(resolved, manifest, pins.name)
        if pins.sha256 is not None:
            actual = hashlib.sha256(origin.read_bytes()).hexdigest() if origin else "no plugin.yaml"
            if actual != pins.sha256.lower().removeprefix("sha256:"):
                raise errors.DigestMismatch("sha256", pins.sha256, actual)
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
        if pins.digest is not None and bundle.digest != pins.digest.lower():
            raise errors.DigestMismatch("digest", pins.digest, bundle.digest)
        return self._cache.add(bundle)
