"""Unpacks a downloaded archive beside the installed plugin, checks it, and swaps the two in one step."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from ....hookspecs import tree_digest
from ....hookspecs.values import is_name
from ...pipeline.remove_tree import discard_tree, remove_tree

_STAGING, _OLD = ".pull-", ".pulled-old-"
MAX_BYTES = 512 * 1024 * 1024
MAX_FILES = 50_000
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


class PullFailed(Exception):
    """Raised when the archive is not what the service promised, or cannot be put in place. The text says which."""


class TakenBack(PullFailed):
    """Raised when the agent does not start with the plugin: it was removed again, and so was the version before."""


@dataclass(frozen=True, slots=True)
class PulledFile:
    """A file of the plugin: its path below the plugin's root, and its sha256 in hex."""

    path: str
    sha256: str


class Staging:
    """A temporary folder beside the plugin's folder, on the same file system, as a context manager.

    Entering it first repairs what a crash left: an old version that was set aside comes back if no new version took
    its place. Raises `PullFailed` if the name is invalid or the folder cannot be created.
    """

    def __init__(self, into: Path, name: str) -> None:
        if not is_name(name):
            raise PullFailed("a plugin's name has letters, digits, dots, dashes and underscores")
        self._into, self._name, self._plugin = into, name, into / name
        self._old = into / f"{_OLD}{name}"

    def __enter__(self) -> Self:
        try:
            self._into.mkdir(parents=True, exist_ok=True)
            self._repair()
            self._folder = Path(tempfile.mkdtemp(prefix=f"{_STAGING}{self._name}-", dir=self._into))
        except OSError as error:
            raise PullFailed(f"{self._into} cannot be written: {error.strerror}") from error
        self.archive = self._folder / "archive.tar.gz"
        return self

    def __exit__(self, *_: object) -> None:
        discard_tree(self._folder)

    def _repair(self) -> None:
        for folder in self._into.glob(f"{_STAGING}{self._name}-*"):
            discard_tree(folder)
        if os.path.lexists(self._old):
            if os.path.lexists(self._plugin):
                _remove(self._old)
            else:
                self._old.rename(self._plugin)

    def unpack(self, digest: str) -> list[PulledFile]:
        """Unpack the archive, compare its digest, and return the files. Raises `PullFailed`."""
        tree = self.tree
        tree.mkdir()
        try:
            with tarfile.open(self.archive, "r:gz") as archive:
                files = _extract(archive, tree)
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
            raise PullFailed(f"the archive cannot be unpacked: {type(error).__name__}") from error
        if (actual := tree_digest(files)) != digest:
            raise PullFailed(f"the service promised {digest or 'no digest'}, but {actual} came")
        return files

    @property
    def tree(self) -> Path:
        """The unpacked tree."""
        return self._folder / "tree"

    @property
    def scratch(self) -> Path:
        """The folder itself: what is put there goes at the end."""
        return self._folder

    def swap(self) -> None:
        """Replace the old version by the new tree. If it fails, the old version stays, and `PullFailed` is raised."""
        tree = self.tree
        tree.chmod(0o755)
        try:
            if not os.path.lexists(self._plugin):
                tree.rename(self._plugin)
            elif not _exchange(tree, self._plugin):
                self._swap_by_two_renames(tree)
        except OSError as error:
            raise PullFailed(f"{self._plugin} cannot be replaced: {error.strerror}") from error

    def _swap_by_two_renames(self, tree: Path) -> None:
        self._plugin.rename(self._old)
        try:
            tree.rename(self._plugin)
        except OSError:
            self._old.rename(self._plugin)
            raise
        _remove(self._old)


def _extract(archive: tarfile.TarFile, tree: Path) -> list[PulledFile]:
    """Extract plain files and directories below the tree, up to the limits, and hash each file as it is written."""
    files: list[PulledFile] = []
    total = 0
    for member in archive:
        path = PurePosixPath(member.name)
        if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in member.name:
            raise PullFailed("the archive names a path outside the plugin")
        target = tree.joinpath(*path.parts)
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        if not member.isreg():
            raise PullFailed("the archive holds something that is neither a file nor a directory")
        total += member.size
        if total > MAX_BYTES or len(files) >= MAX_FILES:
            raise PullFailed("the archive expands to more than a plugin may have")
        target.parent.mkdir(parents=True, exist_ok=True)
        files.append(PulledFile(str(path), _write(archive, member, target)))
    return files


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> str:
    content = archive.extractfile(member)
    sha256 = hashlib.sha256()
    with target.open("xb") as out:
        while content is not None and (chunk := content.read(1 << 20)):
            sha256.update(chunk)
            out.write(chunk)
        if out.tell() != member.size:
            raise EOFError
    target.chmod(0o755 if member.mode & 0o100 else 0o644)
    return sha256.hexdigest()


def _exchange(first: Path, second: Path) -> bool:
    """Swap two names in one step (renameat2). Return False if the system or the file system cannot."""
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None, use_errno=True)
        names = os.fsencode(first), os.fsencode(second)
        return bool(library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        path.unlink()
