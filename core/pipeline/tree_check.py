"""Checks a fetched tree before it is packed. The result holds only plain files that lie inside the tree.

Nobody writes to the tree while it is checked: the source has finished with it. So the check reads each name once with
`lstat` and follows links by hand, name by name, below the root. `pack` notices a file whose size changes afterwards.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...hookspecs.errors import BundleFault, BundleTooLarge, UnsafeBundle
from ...hookspecs.values import TreeEntry
from ...hookspecs.values.bundle import MAX_PATH

MAX_SEGMENT: Final = 255
"""The longest name in bytes: what every common file system takes (NAME_MAX)."""

_MAX_LINKS: Final = 40
_NOT_PLUGIN: Final = ".git"
_SPECIAL_BITS: Final = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_Parts = tuple[str, ...]


def check_tree(root: Path, *, max_bytes: int, max_files: int) -> list[TreeEntry]:
    """Return the files of the tree at `root`, in no particular order. Each link is replaced by what it points to.

    A `.git` at the top is not part of a plugin. `max_bytes` bounds the bytes of all files together, `max_files` the
    number of files and that of directories. Blocking; may be repeated; changes nothing.

    Raises `BundleTooLarge` if the tree is too large before any link is followed, and `UnsafeBundle` with the path for
    every other fault. A tree that becomes too large only through its links is a bomb.
    """
    if not stat.S_ISDIR(root.lstat().st_mode):
        raise UnsafeBundle(".", BundleFault.LINK_OUTSIDE)
    tree = _read_tree(root, max_bytes, max_files)
    _check_hard_links(tree)
    entries = _Expansion(root, tree, max_bytes, max_files).expand()
    if not entries:
        raise UnsafeBundle(".", BundleFault.EMPTY)
    _check_case(entries)
    return entries


@dataclass(slots=True)
class _Tree:
    """What lies below the root, by the parts of its path. No link has been followed."""

    stats: dict[_Parts, os.stat_result] = field(default_factory=dict)
    children: dict[_Parts, list[str]] = field(default_factory=dict)
    links: dict[_Parts, str] = field(default_factory=dict)


def _read_tree(root: Path, max_bytes: int, max_files: int) -> _Tree:
    tree = _Tree()
    pending: list[_Parts] = [()]
    size = files = 0
    while pending:
        parent = pending.pop()
        names = tree.children.setdefault(parent, [])
        for name in _names(root.joinpath(*parent), max_files):
            if not parent and name == _NOT_PLUGIN:
                continue
            parts = (*parent, name)
            _check_name(parts)
            path = root.joinpath(*parts)
            status = path.lstat()
            tree.stats[parts] = status
            names.append(name)
            if stat.S_ISDIR(status.st_mode):
                pending.append(parts)
                if len(tree.children) + len(pending) > max_files + 1:
                    raise BundleTooLarge(max_files, "files")
                continue
            files += 1
            if stat.S_ISLNK(status.st_mode):
                tree.links[parts] = str(path.readlink())
            elif not stat.S_ISREG(status.st_mode):
                raise UnsafeBundle("/".join(parts), BundleFault.SPECIAL)
            elif status.st_mode & _SPECIAL_BITS:
                raise UnsafeBundle("/".join(parts), BundleFault.SETUID)
            else:
                size += status.st_size
            if files > max_files:
                raise BundleTooLarge(max_files, "files")
            if size > max_bytes:
                raise BundleTooLarge(max_bytes)
    return tree


def _names(folder: Path, limit: int) -> list[str]:
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            names.append(entry.name)
            if len(names) > limit + 1:  # one more than the limit, for a `.git`
                raise BundleTooLarge(limit, "files")
    return sorted(names)


def _check_name(parts: _Parts) -> None:
    """Refuse names that are too long, not UTF-8, or hold a backslash, a control character or a line separator."""
    name, path = parts[-1], "/".join(parts)
    too_long = len(os.fsencode(name)) > MAX_SEGMENT or len(os.fsencode(path)) > MAX_PATH
    if too_long or "\\" in name or not _REFUSED_CATEGORIES.isdisjoint(map(unicodedata.category, name)):
        raise UnsafeBundle(path, BundleFault.NAME)


def _check_hard_links(tree: _Tree) -> None:
    """Refuse a file that has a hard link outside the tree: then it has more links than names inside."""
    files = [(parts, status) for parts, status in tree.stats.items() if stat.S_ISREG(status.st_mode)]
    names = Counter((status.st_dev, status.st_ino) for _, status in files)
    for parts, status in files:
        if names[status.st_dev, status.st_ino] < status.st_nlink:
            raise UnsafeBundle("/".join(parts), BundleFault.HARD_LINK)


def _check_case(entries: list[TreeEntry]) -> None:
    """Refuse names that are equal on a file system without case or with another Unicode form (macOS, Windows)."""
    seen: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: entry.path):
        parts = entry.path.split("/")
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
            if seen.setdefault(folded, path) != path:
                raise UnsafeBundle(path, BundleFault.CASE)


class _Expansion:
    """Walks the tree, follows its links and holds it to its limits."""

    def __init__(self, root: Path, tree: _Tree, max_bytes: int, max_files: int) -> None:
        self._root, self._tree = root, tree
        self._max_bytes, self._max_files = max_bytes, max_files
        self._entries: list[TreeEntry] = []
        self._size = self._directories = 0

    def expand(self) -> list[TreeEntry]:
        """Return all files. A pending directory has its path in the plugin, its real path and its real ancestors."""
        pending: list[tuple[_Parts, _Parts, frozenset[_Parts]]] = [((), (), frozenset({()}))]
        while pending:
            shown, real, above = pending.pop()
            for name in self._tree.children[real]:
                child, origin = (*shown, name), (*real, name)
                if origin in self._tree.links:
                    origin = self._resolve(origin, child)
                if origin not in self._tree.children:
                    self._add(child, origin)
                    continue
                if origin in above:
                    raise UnsafeBundle("/".join(child), BundleFault.BOMB)
                self._directories += 1
                if self._directories > self._max_files or len("/".join(child).encode()) > MAX_PATH:
                    raise UnsafeBundle("/".join(child), BundleFault.BOMB)
                pending.append((child, origin, above | {origin}))
        return self._entries

    def _add(self, shown: _Parts, real: _Parts) -> None:
        status, path = self._tree.stats[real], "/".join(shown)
        self._size += status.st_size
        if len(self._entries) >= self._max_files or self._size > self._max_bytes:
            raise UnsafeBundle(path, BundleFault.BOMB)
        if len(path.encode()) > MAX_PATH:
            raise UnsafeBundle(path, BundleFault.NAME)
        self._entries.append(TreeEntry(path, self._root.joinpath(*real), bool(status.st_mode & stat.S_IXUSR)))

    def _resolve(self, link: _Parts, shown: _Parts) -> _Parts:
        """Follow a link name by name, as the kernel does, but never above the root. Return where it ends."""
        path = "/".join(shown)
        here, ahead, followed = list(link[:-1]), [link[-1]], 0
        while ahead:
            name = ahead.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                if not here:
                    raise UnsafeBundle(path, BundleFault.LINK_OUTSIDE)
                here.pop()
                continue
            step = (*here, name)
            target = self._tree.links.get(step)
            if target is None:
                self._require_exists(step, bool(ahead), path)
                here.append(name)
                continue
            followed += 1
            if followed > _MAX_LINKS:
                raise UnsafeBundle(path, BundleFault.LINK_BROKEN)
            if target.startswith("/"):
                raise UnsafeBundle(path, BundleFault.LINK_OUTSIDE)
            ahead.extend(reversed(target.split("/")))
        return tuple(here)

    def _require_exists(self, step: _Parts, goes_on: bool, path: str) -> None:
        if step not in self._tree.stats or (goes_on and step not in self._tree.children):
            raise UnsafeBundle(path, BundleFault.LINK_BROKEN)
