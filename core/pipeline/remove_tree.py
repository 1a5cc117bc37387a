"""Deletes trees of any depth: `shutil.rmtree` recurses, and a path in a deep tree is too long for the system."""

from __future__ import annotations

import contextlib
import logging
import os
import uuid
from pathlib import Path

log = logging.getLogger("plugport.files")
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(root: Path) -> None:
    """Delete the directory `root` with all that is in it. Links are deleted, never followed.

    A directory below is moved up into `root` before it is emptied, so that no path is long and few files are open,
    whatever the depth. Blocking; may be repeated after a failure. Raises `OSError`; `FileNotFoundError` if there
    is no such directory.
    """
    top = os.open(root, _OPEN)
    try:
        pending = _empty(top, top)
        while pending:
            name = pending.pop()
            directory = os.open(name, _OPEN, dir_fd=top)
            try:
                pending += _empty(directory, top)
            finally:
                os.close(directory)
            os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    root.rmdir()


def discard_tree(root: Path) -> None:
    """Delete the directory as `remove_tree` does. What cannot be deleted stays and is logged."""
    try:
        remove_tree(root)
    except FileNotFoundError:
        pass
    except OSError:
        log.exception("%s cannot be deleted", root)


def _empty(directory: int, top: int) -> list[str]:
    """Delete the files of the directory and move its directories into `top`. Return their names there."""
    with os.scandir(directory) as entries:
        listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    moved = []
    for name, is_directory in listed:
        if not is_directory:
            os.unlink(name, dir_fd=directory)
            continue
        with contextlib.suppress(PermissionError):  # of another user: perhaps it can be moved as it is
            os.chmod(name, 0o700, dir_fd=directory)
        fresh = uuid.uuid4().hex
        os.rename(name, fresh, src_dir_fd=directory, dst_dir_fd=top)
        moved.append(fresh)
    return moved
