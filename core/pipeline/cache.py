"""The cache of prebuilt archives: one tar per tree, under the tree's digest, bounded in size."""

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

from ...hookspecs.values import Bundle, BundleFile

_CHUNK = 1 << 20
_LEVEL = 6


class ArchiveCache:
    """Keeps archives by digest in one folder. All methods block; any thread may call them.

    `limit` (bytes) holds after each `add`: the least recently used archives are deleted first, but none that a
    `using` block holds.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._lock = threading.Lock()
        self._in_use: Counter[str] = Counter()
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob("*.new"):
            leftover.unlink(missing_ok=True)

    def get(self, digest: str) -> Bundle | None:
        """Return the bundle of that digest, or None if the cache does not have all of it."""
        archive = self._archive(digest)
        try:
            fields = json.loads(archive.with_suffix(".json").read_text("utf-8"))
            if archive.stat().st_size != fields["archive_size"]:
                return None
            os.utime(archive)
        except (OSError, ValueError, KeyError):
            return None
        files = tuple(BundleFile(**file) for file in fields["files"])
        return Bundle(fields["name"], fields["digest"], fields["manifest"], fields["revision"], files, archive)

    def add(self, bundle: Bundle) -> Bundle:
        """Move the bundle's archive into the cache and return the bundle with its new place."""
        archive = self._archive(bundle.digest)
        fields = {
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
            fresh.write_text(json.dumps(fields), "utf-8")
            fresh.replace(archive.with_suffix(".json"))
            self._evict(keep=archive.stem)
        return replace(bundle, archive=archive)

    def compressed(self, bundle: Bundle) -> tuple[Path, str]:
        """Return the path of the bundle's archive as tar.gz, the same bytes each time, and their sha256 in hex.

        Call it inside a `using` block. Raises `OSError` if the cache cannot be written.
        """
        packed = self._archive(bundle.digest).with_suffix(".tar.gz")
        hash_file = packed.with_suffix(".gz.sha256")
        with contextlib.suppress(OSError):
            sha256 = hash_file.read_text("ascii")
            os.utime(packed)
            return packed, sha256
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".new", delete=False) as fresh:
            hashed = hashlib.sha256()
            for chunk in _gzip(bundle):
                hashed.update(chunk)
                fresh.write(chunk)
        with self._lock:
            Path(fresh.name).replace(packed)
            fresh_hash = Path(f"{fresh.name}.sha256.new")
            fresh_hash.write_text(hashed.hexdigest(), "ascii")
            fresh_hash.replace(hash_file)
            self._evict(keep=packed.name.split(".", 1)[0])
        return packed, hashed.hexdigest()

    @contextlib.contextmanager
    def using(self, digest: str) -> Iterator[None]:
        """Keep the archive of that digest while the block runs."""
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


def _gzip(bundle: Bundle) -> Iterator[bytes]:
    """Compress by RFC 1952 without a name or a time, so that the bytes depend on the tree only."""
    packer = zlib.compressobj(_LEVEL, wbits=31)
    with bundle.open_tar() as archive:
        while chunk := archive.read(_CHUNK):
            yield packer.compress(chunk)
    yield packer.flush()
