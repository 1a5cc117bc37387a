"""Takes the data directory for this process alone, before anything in it is touched."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..disk_space import Unwritable, require_space

_LOCK: Final = ".lock"


class DataDirUnusable(Exception):
    """Raised when the data directory cannot be used. The text says why, and what to do."""


@contextmanager
def exclusive_data_dir(folder: Path) -> Iterator[None]:
    """Hold the data directory until the block ends, or the process. It is created if it is missing.

    Raises `DataDirUnusable` if it cannot be written, or another process holds it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise DataDirUnusable(f"the data directory {folder} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataDirUnusable(
                f"another plugport serves from the data directory {folder}: stop it, or set PLUGPORT_DATA_DIR"
            ) from error
        except OSError as error:
            raise DataDirUnusable(f"the data directory {folder} cannot be locked: {error.strerror}") from error
        try:
            require_space(folder, 0)
        except Unwritable as error:
            raise DataDirUnusable(f"{folder}: {error}") from error
        yield
    finally:
        os.close(descriptor)


def require_catalog(folder: Path) -> None:
    """Make the plugins directory if it is missing. Raises `DataDirUnusable` if that fails or it cannot be read."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.scandir(folder):
            pass
    except OSError as error:
        raise DataDirUnusable(
            f"the plugins directory {folder} cannot be read: {error.strerror}. See PLUGPORT_PLUGINS_DIR"
        ) from error
