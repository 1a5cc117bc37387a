"""The source `local://<name>`: a plugin of the curated registry on this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from pathlib import Path
from typing import Final

from ...hookspecs import Resolved, ServiceSettings, Source, StartupContext, hookimpl
from ...hookspecs.errors import (
    BundleFault,
    BundleTooLarge,
    InvalidSource,
    PluginNotFound,
    SourceFault,
    SourceUnavailable,
    UnsafeBundle,
)
from ...hookspecs.values import is_name

_JUST_NOW_NS: Final = 2_000_000_000


class LocalSource:
    """Copies a plugin out of the registry. Links are copied as links: the check of the tree judges them."""

    schemes = ("local",)

    def __init__(self) -> None:
        self._service: ServiceSettings | None = None

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        """Take the registry's place from the service's settings."""
        self._service = context.service

    @hookimpl
    def source_revision(self, source: Source) -> str | None:
        """A digest of what `lstat` says of every name of the tree; None for a tree that was changed just now, whose
        times could stay the same through one more change."""
        if self._service is None or not is_name(source.spec):
            return None
        try:
            folder = _find(Path(self._service.plugins_dir), source.spec)
            return _fingerprint(folder, 2 * self._service.max_tree_files)
        except (OSError, PluginNotFound):
            return None

    @hookimpl
    def resolve_source(self, source: Source, destination: Path) -> Resolved:
        """Copy the plugin. Raises `InvalidSource` for what is no plain name, `PluginNotFound`, `BundleTooLarge`,
        `UnsafeBundle`, and `SourceUnavailable` where the registry cannot be read."""
        if self._service is None:
            raise SourceUnavailable("the source was not started")
        if not is_name(source.spec):
            raise InvalidSource(SourceFault.TRAVERSAL)
        try:
            folder = _find(Path(self._service.plugins_dir), source.spec)
            _Copy(folder, destination, self._service).run()
        except OSError as error:
            raise SourceUnavailable(f"the registry cannot be read: {error}") from error
        return Resolved(source.spec)


def _find(registry: Path, name: str) -> Path:
    """The plugin's real directory; one that a link leads to must lie in the registry, too.

    Raises `PluginNotFound`, and `OSError` where nobody can tell whether it is there.
    """
    folder = Path(os.path.realpath(registry / name))
    try:
        found = folder.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PluginNotFound(f"{name} is not in the registry") from error
    if not stat.S_ISDIR(found.st_mode) or not folder.is_relative_to(os.path.realpath(registry)):
        raise PluginNotFound(f"{name} is not in the registry")
    return folder


def _fingerprint(root: Path, most: int) -> str | None:
    hashed, waiting, newest, count = hashlib.sha256(), [str(root)], 0, 0
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    waiting.append(entry.path)
                newest, count = max(newest, found.st_ctime_ns), count + 1
                if count > most:
                    return None
                told = (entry.path, found.st_mode, found.st_ino, found.st_dev, found.st_nlink, found.st_size)
                hashed.update(repr((*told, found.st_mtime_ns, found.st_ctime_ns)).encode("utf-8", "surrogateescape"))
    return None if time.time_ns() - newest < _JUST_NOW_NS else hashed.hexdigest()


class _Copy:
    """One copy of a tree, within the service's limits."""

    def __init__(self, origin: Path, destination: Path, limits: ServiceSettings) -> None:
        self._origin, self._destination, self._limits = origin, destination, limits
        self._bytes = self._files = 0
        self._linked: dict[tuple[int, int], list[str]] = {}
        self._links_of: dict[tuple[int, int], int] = {}

    def run(self) -> None:
        """Copy everything, then see to it that no file has a name outside the tree."""
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            with os.scandir(self._origin / folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if path != ".git":
                            (self._destination / path).mkdir()
                            self._count(0)
                            waiting.append(path)
                    else:
                        self._file(path, entry.stat(follow_symlinks=False))
        for inode, paths in self._linked.items():
            if len(paths) < self._links_of[inode]:
                raise UnsafeBundle(min(paths), BundleFault.HARD_LINK)

    def _file(self, path: str, found: os.stat_result) -> None:
        origin, target = self._origin / path, self._destination / path
        if stat.S_ISLNK(found.st_mode):
            self._count(0)
            target.symlink_to(origin.readlink())
        elif stat.S_ISREG(found.st_mode):
            self._count(found.st_size)
            if found.st_nlink > 1:
                inode = found.st_dev, found.st_ino
                self._linked.setdefault(inode, []).append(path)
                self._links_of[inode] = found.st_nlink
            shutil.copyfile(origin, target, follow_symlinks=False)
            target.chmod(stat.S_IMODE(found.st_mode) | stat.S_IRUSR)
        else:
            raise UnsafeBundle(path, BundleFault.SPECIAL)

    def _count(self, size: int) -> None:
        self._bytes += size
        self._files += 1
        if self._bytes > self._limits.max_tree_bytes:
            raise BundleTooLarge(self._limits.max_tree_bytes)
        if self._files > 2 * self._limits.max_tree_files:  # directories count here, not in the limit
            raise BundleTooLarge(self._limits.max_tree_files, "files")


provider = LocalSource()
