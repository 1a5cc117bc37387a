"""The cache of prebuilt archives: one tar per bundle, bounded in size."""

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
from .contents_record import contents_from_json, contents_to_json

_CHUNK = 1 << 20
_LEVEL = 6


def key_of(bundle: Bundle) -> str:
    """Return the key of a bundle: the sha256 (hex) of everything that a delivery of it carries.

    The digest covers the bytes of the files, but neither their modes nor the plugin's name.
    """
    executables = [file.path for file in bundle.files if file.executable]
    carried = [bundle.digest, bundle.name, bundle.revision, bundle.origin, executables]
    return hashlib.sha256(json.dumps(carried).encode()).hexdigest()


class ArchiveCache:
    """Keeps archives by their key (see `key_of`) in one folder. All methods block; any thread may call them.

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

    def get(self, key: str) -> Bundle | None:
        """Return the bundle of that key, or None if the cache does not have all of it."""
        archive = self._archive(key)
        try:
            fields = json.loads(archive.with_suffix(".json").read_text("utf-8"))
            if archive.stat().st_size != fields.pop("archive_size"):
                return None
            os.utime(archive)
            files = tuple(BundleFile(**file) for file in fields["files"])
            stored = fields["contents"]
            contents = None if stored is None else contents_from_json(stored)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Bundle(**{**fields, "files": files, "archive": archive, "contents": contents})

    def find(self, name: str, digest: str) -> Bundle | None:
        """Return a bundle of that name and digest, or None if the cache has none. It reads every entry."""
        for description in sorted(self._folder.glob("*.json")):
            bundle = self.get(description.stem)
            if bundle is not None and (bundle.name, bundle.digest) == (name, digest):
                return bundle
        return None

    def add(self, bundle: Bundle) -> Bundle:
        """Move the bundle's archive into the cache and return the bundle with its new place."""
        archive = self._archive(key_of(bundle))
        fields = {
            "name": bundle.name,
            "digest": bundle.digest,
            "manifest": bundle.manifest,
            "revision": bundle.revision,
            "origin": bundle.origin,
            "archive_size": bundle.archive.stat().st_size,
            "files": [asdict(file) for file in bundle.files],
            "contents": None if bundle.contents is None else contents_to_json(bundle.contents),
        }
        with self._lock, self._fresh() as fresh:
            fresh.write_text(json.dumps(fields), "utf-8")
            bundle.archive.replace(archive)
            fresh.replace(archive.with_suffix(".json"))
            self._evict(keep=archive.stem)
        return replace(bundle, archive=archive)

    def compressed(self, bundle: Bundle) -> tuple[Path, str]:
        """Return the path of the bundle's archive as tar.gz, the same bytes each time, and their sha256 in hex.

        Call it inside a `using` block. Raises `OSError` if the cache cannot be written.
        """
        packed = self._archive(key_of(bundle)).with_suffix(".tar.gz")
        hash_file = packed.with_suffix(".gz.sha256")
        with contextlib.suppress(OSError):
            sha256 = hash_file.read_text("ascii")
            os.utime(packed)
            return packed, sha256
        hashed = hashlib.sha256()
        with self._fresh() as fresh, self._fresh() as fresh_hash:
            with fresh.open("wb") as out:
                for chunk in _gzip(bundle):
                    hashed.update(chunk)
                    out.write(chunk)
            fresh_hash.write_text(hashed.hexdigest(), "ascii")
            with self._lock:
                fresh.replace(packed)
                fresh_hash.replace(hash_file)
                self._evict(keep=packed.name.split(".", 1)[0])
        return packed, hashed.hexdigest()

    @contextlib.contextmanager
    def _fresh(self) -> Iterator[Path]:
        """Give a new file of the folder. It is deleted at the block's end unless it was renamed."""
        descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=".new")
        os.close(descriptor)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def using(self, key: str) -> Iterator[None]:
        """Keep the archive of that key while the block runs."""
        stem = self._archive(key).stem
        with self._lock:
            self._in_use[stem] += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_use[stem] -= 1

    def _archive(self, key: str) -> Path:
        return self._folder / f"{key}.tar"

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
