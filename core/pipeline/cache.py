"""The cache of prebuilt archives: one tar per tree, under its digest, bounded in size."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from ...hookspecs.values.bundle import Bundle, BundleFile


class ArchiveCache:
    """Archives by digest in one folder. All methods block, and may be called from any thread.

    The limit (bytes) holds after each `add`: the archives that were used least recently go first, never one that
    is in use. An archive counts as used while a `using` block holds it.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._lock = threading.Lock()
        self._in_use: Counter[str] = Counter()
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob("*.new"):
            left.unlink(missing_ok=True)

    def get(self, digest: str) -> Bundle | None:
        """The bundle of that digest, whole, or None."""
        archive = self._archive(digest)
        try:
            told = json.loads(archive.with_suffix(".json").read_text("utf-8"))
            if archive.stat().st_size != told["archive_size"]:
                return None
            os.utime(archive)
        except (OSError, ValueError, KeyError):
            return None
        files = tuple(BundleFile(**file) for file in told["files"])
        return Bundle(told["name"], told["digest"], told["manifest"], told["revision"], files, archive)

    def add(self, bundle: Bundle) -> Bundle:
        """Take the bundle's archive over (it is moved) and return the bundle as it lies in the cache."""
        archive = self._archive(bundle.digest)
        told = {
            "name": bundle.name,
            "digest": bundle.digest,
            "manifest": bundle.manifest,
            "revision": bundle.revision,
            "archive_size": bundle.archive.stat().st_size,
            "files": [asdict(file) for file in bundle.files],
        }
        with self._lock:
            bundle.archive.replace(archive)
            fresh = archive.with_suffix(".json.new")
            fresh.write_text(json.dumps(told), "utf-8")
            fresh.replace(archive.with_suffix(".json"))
            self._evict(keep=archive.stem)
        return replace(bundle, archive=archive)

    def compressed(self, bundle: Bundle) -> tuple[Path, str]:
        """The bundle's archive as tar.gz, the same bytes each time, and their sha256 in hex.

        For a bundle that is in use. Raises `OSError` where the cache cannot be written.
        """
        packed = self._archive(bundle.digest).with_suffix(".tar.gz")
        told = packed.with_suffix(".gz.sha256")
        with contextlib.suppress(OSError):
            sha256 = told.read_text("ascii")
            os.utime(packed)
            return packed, sha256
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".new", delete=False) as fresh:
            hashed = hashlib.sha256()
            for chunk in _gzip(bundle):
                hashed.update(chunk)
                fresh.write(chunk)
        with self._lock:
            Path(fresh.name).replace(packed)
            noted = Path(f"{fresh.name}.sha256.new")
            noted.write_text(hashed.hexdigest(), "ascii")
            noted.replace(told)
            self._evict(keep=packed.name.split(".", 1)[0])
        return packed, hashed.hexdigest()

    @contextlib.contextmanager
    def using(self, digest: str) -> Iterator[None]:
        """While the block runs, the archive of that digest stays."""
        stem = self._archive(digest).stem
        with self._lock:
            self._in_use[stem] += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_use[stem] -= 1

    def _archive(self, digest: str) -> Path:
        return self._folder / f"{digest.removeprefix('sha256:')}.tar"

    def _evict(self, keep: str) -> None:
        entries = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in self._folder.glob("*.tar*"))
        total = sum(size for _, size, _ in entries)
        for _, size, path in entries:
            stem = path.name.split(".", 1)[0]
            if total <= self._limit:
                return
            if stem != keep and not self._in_use[stem]:
                path.unlink(missing_ok=True)
                path.with_suffix(".json").unlink(missing_ok=True)
                total -= size


_CHUNK = 1 << 20
_LEVEL = 6


def _gzip(bundle: Bundle) -> Iterator[bytes]:
    """RFC 1952 without a name or a time, so that nothing but the tree decides on the bytes."""
    packer = zlib.compressobj(_LEVEL, wbits=31)
    with bundle.open_tar() as archive:
        while chunk := archive.read(_CHUNK):
            yield packer.compress(chunk)
    yield packer.flush()
