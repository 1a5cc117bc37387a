"""The source `local://<name>`: a plugin in the service's plugins directory (`PLUGPORT_PLUGINS_DIR`)."""

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
from ...hookspecs.values.bundle import MAX_PATH

_JUST_NOW_NS: Final = 2_000_000_000


class LocalSource:
    """Copies a plugin out of the plugins directory. Links are copied as links; the tree check judges them."""

    schemes = ("local",)

    def __init__(self) -> None:
        self._service: ServiceSettings | None = None

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        """Read the service's settings."""
        self._service = context.service

    @hookimpl
    def source_revision(self, source: Source) -> str | None:
        """Return a digest of every entry's `lstat`; None for a tree that changed less than two seconds ago.

        The times of such a tree could stay the same through one more change.
        """
        if self._service is None or not is_name(source.spec):
            return None
        try:
            folder = _plugin_folder(Path(self._service.plugins_dir), source.spec)
            return _fingerprint(folder, 2 * self._service.max_tree_files)
        except (OSError, PluginNotFound):
            return None

    @hookimpl
    def resolve_source(self, source: Source, destination: Path) -> Resolved:
        """Copy the plugin. May be repeated.

        Raises `InvalidSource` if the spec is not a plain name, `PluginNotFound`, `BundleTooLarge`, `UnsafeBundle`,
        and `SourceUnavailable` if the plugins directory cannot be read.
        """
        if self._service is None:
            raise SourceUnavailable("the source was not started")
        if not is_name(source.spec):
            raise InvalidSource(SourceFault.TRAVERSAL)
        try:
            folder = _plugin_folder(Path(self._service.plugins_dir), source.spec)
            _TreeCopy(folder, destination, self._service).copy()
        except OSError as error:
            raise SourceUnavailable(f"the plugins directory cannot be read: {error}") from error
        return Resolved(source.spec, origin=f"local://{source.spec}")


def _plugin_folder(plugins_dir: Path, name: str) -> Path:
    """Return the plugin's real directory. A link may lead to it, but not out of the plugins directory.

    Raises `PluginNotFound`, and `OSError` if that cannot be checked.
    """
    folder = Path(os.path.realpath(plugins_dir / name))
    try:
        mode = folder.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PluginNotFound(f"{name} is not in the plugins directory") from error
    if not stat.S_ISDIR(mode) or not folder.is_relative_to(os.path.realpath(plugins_dir)):
        raise PluginNotFound(f"{name} is not in the plugins directory")
    return folder


def _fingerprint(root: Path, max_entries: int) -> str | None:
    digest, waiting, newest, count = hashlib.sha256(), [str(root)], 0, 0
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(entry.path)
                newest, count = max(newest, status.st_ctime_ns), count + 1
                if count > max_entries:
                    return None
                identity = (entry.path, status.st_mode, status.st_ino, status.st_dev, status.st_nlink)
                state = (*identity, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
                digest.update(repr(state).encode("utf-8", "surrogateescape"))
    return None if time.time_ns() - newest < _JUST_NOW_NS else digest.hexdigest()


class _TreeCopy:
    """One copy of a tree, within the service's limits."""

    def __init__(self, origin: Path, destination: Path, limits: ServiceSettings) -> None:
        self._origin, self._destination, self._limits = origin, destination, limits
        self._bytes = self._files = 0
        self._linked: dict[tuple[int, int], list[str]] = {}
        self._link_counts: dict[tuple[int, int], int] = {}

    def copy(self) -> None:
        """Copy the tree, then check that no file has a hard link outside it."""
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            with os.scandir(self._origin / folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if len(os.fsencode(path)) > MAX_PATH:
                        raise UnsafeBundle(path, BundleFault.NAME)
                    if entry.is_dir(follow_symlinks=False):
                        if path != ".git":
                            (self._destination / path).mkdir()
                            self._count(0)
                            waiting.append(path)
                    else:
                        self._copy_file(path, entry.stat(follow_symlinks=False))
        for inode, paths in self._linked.items():
            if len(paths) < self._link_counts[inode]:
                raise UnsafeBundle(min(paths), BundleFault.HARD_LINK)

    def _copy_file(self, path: str, status: os.stat_result) -> None:
        origin, target = self._origin / path, self._destination / path
        if stat.S_ISLNK(status.st_mode):
            self._count(0)
            target.symlink_to(origin.readlink())
        elif stat.S_ISREG(status.st_mode):
            self._count(status.st_size)
            if status.st_nlink > 1:
                inode = status.st_dev, status.st_ino
                self._linked.setdefault(inode, []).append(path)
                self._link_counts[inode] = status.st_nlink
            shutil.copyfile(origin, target, follow_symlinks=False)
            target.chmod(stat.S_IMODE(status.st_mode) | stat.S_IRUSR)
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
