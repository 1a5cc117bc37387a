"""What a home holds, byte for byte, and which paths an agent changes by itself."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

Snapshot = Mapping[str, tuple[str, int, bytes]]
"""Each path below a folder: what it is, its mode, and its bytes or the text of the link."""


def snapshot(folder: Path) -> Snapshot:
    """Return everything below a folder. Links are not followed."""
    entries: dict[str, tuple[str, int, bytes]] = {}
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(root, name)
            status = path.lstat()
            key, mode = str(path.relative_to(folder)), stat.S_IMODE(status.st_mode)
            if stat.S_ISLNK(status.st_mode):
                entries[key] = ("link", 0, os.fsencode(path.readlink()))
            elif stat.S_ISREG(status.st_mode):
                entries[key] = ("file", mode, path.read_bytes())
            else:
                entries[key] = ("folder" if stat.S_ISDIR(status.st_mode) else "other", mode, b"")
    return entries


def shape(path: str) -> str:
    """Return a path with `*` for what differs between runs: identifiers, dates and numbers.

    A database's files beside it count as the database.
    """
    return re.sub(r"[0-9a-f]{8,}|[0-9]+", "*", re.sub(r"(\.sqlite|\.db)-(?:wal|shm|journal)$", r"\1", path))


def changes(before: Snapshot, after: Snapshot) -> set[str]:
    """Return the paths that were added, removed or changed."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def own_changes(before: Snapshot, after: Snapshot) -> set[str]:
    """Return the shapes of the paths that an agent changed by itself, from a control run without the plugin.

    Below a folder that the agent made, everything is its own.
    """
    return {shape(path) for path in changes(before, after)}


def unexplained(before: Snapshot, after: Snapshot, own: set[str]) -> list[str]:
    """Return the paths that changed though the control run did not change them, nor made a folder above them."""
    made = {path for path in own if path not in {shape(known) for known in before}}
    return sorted(
        path
        for path in changes(before, after)
        if shape(path) not in own and not any(shape(str(parent)) in made for parent in Path(path).parents)
    )
