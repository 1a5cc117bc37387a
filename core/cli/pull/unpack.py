"""Unpacks a pulled archive beside its place, checks it, and swaps it in at once."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from ....hookspecs import tree_digest
from ....hookspecs.values import is_name

_STAGING, _OLD = ".pull-", ".pulled-old-"
MAX_BYTES = 512 * 1024 * 1024
MAX_FILES = 50_000
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


class PullFailed(Exception):
    """Raised when what came is not what was promised, or cannot be put in place; its text says which."""


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    sha256: str


class Staging:
    """A folder beside the plugin's place, on the same file system, gone when the block ends.

    What a crash left is repaired first: an old version that was set aside comes back where no new one took its
    place. Raises `PullFailed` where the name is none or the folder cannot be made.
    """

    def __init__(self, into: Path, name: str) -> None:
        if not is_name(name):
            raise PullFailed("a plugin's name has letters, digits, dots, dashes and underscores")
        self._into, self._name, self._place = into, name, into / name

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
        shutil.rmtree(self._folder, ignore_errors=True)

    def _repair(self) -> None:
        for left in self._into.glob(f"{_STAGING}{self._name}-*"):
            shutil.rmtree(left, ignore_errors=True)
        old = self._into / f"{_OLD}{self._name}"
        if os.path.lexists(old):
            if os.path.lexists(self._place):
                _remove(old)
            else:
                old.rename(self._place)

    def unpack(self, digest: str) -> int:
        """Unpack the archive and hold the tree against `digest`; how many files it has. Raises `PullFailed`."""
        tree = self._folder / "tree"
        tree.mkdir()
        try:
            with tarfile.open(self.archive, "r:gz") as archive:
                files = _extract(archive, tree)
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
            raise PullFailed(f"the archive cannot be unpacked: {type(error).__name__}") from error
        if (found := tree_digest(files)) != digest:
            raise PullFailed(f"the service promised {digest or 'no digest'}, but {found} came")
        return len(files)

    def swap(self) -> None:
        """Put the tree in place of the old version. Raises `PullFailed`; the old version is then as it was."""
        tree = self._folder / "tree"
        tree.chmod(0o755)
        try:
            if not os.path.lexists(self._place):
                tree.rename(self._place)
            elif not _exchange(tree, self._place):
                self._swap_by_two_renames(tree)
        except OSError as error:
            raise PullFailed(f"{self._place} cannot be replaced: {error.strerror}") from error

    def _swap_by_two_renames(self, tree: Path) -> None:
        old = self._into / f"{_OLD}{self._name}"
        self._place.rename(old)
        try:
            tree.rename(self._place)
        except OSError:
            old.rename(self._place)
            raise
        _remove(old)


def _extract(archive: tarfile.TarFile, tree: Path) -> list[_File]:
    """Only plain files and directories, only below the tree, within limits; each file is hashed as it is written."""
    files: list[_File] = []
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
        files.append(_File(str(path), _write(archive, member, target)))
    return files


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> str:
    content = archive.extractfile(member)
    hashed = hashlib.sha256()
    with target.open("xb") as out:
        while content is not None and (chunk := content.read(1 << 20)):
            hashed.update(chunk)
            out.write(chunk)
        if out.tell() != member.size:
            raise EOFError
    target.chmod(0o755 if member.mode & 0o100 else 0o644)
    return hashed.hexdigest()


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names at once (renameat2); False where this system or file system cannot."""
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None, use_errno=True)
        names = os.fsencode(one), os.fsencode(other)
        return bool(library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
