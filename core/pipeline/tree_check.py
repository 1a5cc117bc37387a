"""Checks a fetched tree before it is packed: what is returned holds plain files alone, all of them from inside.

The tree belongs to this service while it is checked: a source has finished with it, and nobody else writes there.
So the check reads each name once with `lstat` and follows links by hand, name by name, below the root; `pack`
then notices a file whose size changes.
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
from ...hookspecs.values.bundle import TreeEntry

MAX_SEGMENT: Final = 255
"""Bytes of one name: what every common file system takes (NAME_MAX)."""

MAX_PATH: Final = 1024
"""Bytes of a path below the plugin's root: well below PATH_MAX, since the target adds its own directories."""

_MAX_LINKS: Final = 40
_NOT_PLUGIN: Final = ".git"
_SPECIAL_BITS: Final = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
_Parts = tuple[str, ...]


def check_tree(root: Path, *, max_bytes: int, max_files: int) -> list[TreeEntry]:
    """The files of the tree at `root`, in no particular order, with every link replaced by what it leads to.

    A `.git` at the top is not part of a plugin. `max_bytes` bounds the bytes of all files together, `max_files`
    their number (and that of the directories). Blocking; may be repeated; changes nothing.

    Raises `UnsafeBundle` with the path at fault, and `BundleTooLarge` where the tree is too large without any
    link followed; a tree that only its links make too large is a bomb.
    """
    if not stat.S_ISDIR(root.lstat().st_mode):
        raise UnsafeBundle(".", BundleFault.LINK_OUTSIDE)
    tree = _read(root, max_bytes, max_files)
    _check_hard_links(tree)
    entries = _Expansion(root, tree, max_bytes, max_files).run()
    if not entries:
        raise UnsafeBundle(".", BundleFault.EMPTY)
    _check_case(entries)
    return entries


@dataclass(slots=True)
class _Tree:
    """What lies below the root, by its path's parts; no link has been followed."""

    stats: dict[_Parts, os.stat_result] = field(default_factory=dict)
    children: dict[_Parts, list[str]] = field(default_factory=dict)
    links: dict[_Parts, str] = field(default_factory=dict)

    def is_directory(self, parts: _Parts) -> bool:
        return parts in self.children


def _read(root: Path, max_bytes: int, max_files: int) -> _Tree:
    tree = _Tree()
    waiting: list[_Parts] = [()]
    size = files = 0
    while waiting:
        parent = waiting.pop()
        names = tree.children.setdefault(parent, [])
        for name in _names(root.joinpath(*parent), max_files):
            if not parent and name == _NOT_PLUGIN:
                continue
            parts = (*parent, name)
            _check_name(parts)
            path = root.joinpath(*parts)
            found = path.lstat()
            tree.stats[parts] = found
            names.append(name)
            if stat.S_ISDIR(found.st_mode):
                waiting.append(parts)
                if len(tree.children) + len(waiting) > max_files + 1:
                    raise BundleTooLarge(max_files, "files")
                continue
            files += 1
            if stat.S_ISLNK(found.st_mode):
                tree.links[parts] = str(path.readlink())
            elif not stat.S_ISREG(found.st_mode):
                raise UnsafeBundle("/".join(parts), BundleFault.SPECIAL)
            elif found.st_mode & _SPECIAL_BITS:
                raise UnsafeBundle("/".join(parts), BundleFault.SETUID)
            else:
                size += found.st_size
            if files > max_files:
                raise BundleTooLarge(max_files, "files")
            if size > max_bytes:
                raise BundleTooLarge(max_bytes)
    return tree


def _names(folder: Path, limit: int) -> list[str]:
    names = []
    with os.scandir(folder) as found:
        for one in found:
            names.append(one.name)
            if len(names) > limit + 1:  # one more than the limit, for a `.git`
                raise BundleTooLarge(limit, "files")
    return sorted(names)


def _check_name(parts: _Parts) -> None:
    name, path = parts[-1], "/".join(parts)
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise UnsafeBundle(path, BundleFault.NAME) from None
    too_long = len(name.encode()) > MAX_SEGMENT or len(encoded) > MAX_PATH
    if too_long or "\\" in name or any(unicodedata.category(one) in {"Cc", "Zl", "Zp"} for one in name):
        raise UnsafeBundle(path, BundleFault.NAME)


def _check_hard_links(tree: _Tree) -> None:
    inside: Counter[tuple[int, int]] = Counter()
    shared = [
        (parts, found) for parts, found in tree.stats.items() if stat.S_ISREG(found.st_mode) and found.st_nlink > 1
    ]
    for _, found in shared:
        inside[found.st_dev, found.st_ino] += 1
    for parts, found in shared:
        if inside[found.st_dev, found.st_ino] < found.st_nlink:
            raise UnsafeBundle("/".join(parts), BundleFault.HARD_LINK)


def _check_case(entries: list[TreeEntry]) -> None:
    """Names that a file system without case, or with another Unicode form (macOS, Windows), takes for one."""
    seen: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: entry.path):
        parts = entry.path.split("/")
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
            if seen.setdefault(folded, path) != path:
                raise UnsafeBundle(path, BundleFault.CASE)


class _Expansion:
    """Walks the tree with links followed, within its limits."""

    def __init__(self, root: Path, tree: _Tree, max_bytes: int, max_files: int) -> None:
        self._root, self._tree = root, tree
        self._max_bytes, self._max_files = max_bytes, max_files
        self._entries: list[TreeEntry] = []
        self._size = self._directories = 0

    def run(self) -> list[TreeEntry]:
        """All files. Each waiting directory knows where it stands, where it really lies and what is above it."""
        waiting: list[tuple[_Parts, _Parts, frozenset[_Parts]]] = [((), (), frozenset({()}))]
        while waiting:
            shown, real, above = waiting.pop()
            for name in self._tree.children[real]:
                child, origin = (*shown, name), (*real, name)
                if origin in self._tree.links:
                    origin = self._resolve(origin, child)
                if not self._tree.is_directory(origin):
                    self._add(child, origin)
                    continue
                if origin in above:
                    raise UnsafeBundle("/".join(child), BundleFault.BOMB)
                self._directories += 1
                if self._directories > self._max_files or len("/".join(child).encode()) > MAX_PATH:
                    raise UnsafeBundle("/".join(child), BundleFault.BOMB)
                waiting.append((child, origin, above | {origin}))
        return self._entries

    def _add(self, shown: _Parts, real: _Parts) -> None:
        found, path = self._tree.stats[real], "/".join(shown)
        self._size += found.st_size
        if len(self._entries) >= self._max_files or self._size > self._max_bytes:
            raise UnsafeBundle(path, BundleFault.BOMB)
        if len(path.encode()) > MAX_PATH:
            raise UnsafeBundle(path, BundleFault.NAME)
        self._entries.append(TreeEntry(path, self._root.joinpath(*real), bool(found.st_mode & stat.S_IXUSR)))

    def _resolve(self, link: _Parts, shown: _Parts) -> _Parts:
        """Where a link leads, name by name, as the kernel would go, but never above the root."""
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
                self._must_be_there(step, bool(ahead), path)
                here.append(name)
                continue
            followed += 1
            if followed > _MAX_LINKS:
                raise UnsafeBundle(path, BundleFault.LINK_BROKEN)
            if target.startswith("/"):
                raise UnsafeBundle(path, BundleFault.LINK_OUTSIDE)
            ahead.extend(reversed(target.split("/")))
        return tuple(here)

    def _must_be_there(self, step: _Parts, goes_on: bool, path: str) -> None:
        if step not in self._tree.stats or (goes_on and not self._tree.is_directory(step)):
            raise UnsafeBundle(path, BundleFault.LINK_BROKEN)
