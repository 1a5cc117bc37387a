"""Knows when the service's own disk is full: by an error, and by trying it."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..hookspecs import errors

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_SQLITE_FULL: Final = 13
_POSTGRES_FULL: Final = "53100"
_PROBE: Final = bytes(4096)


class Unwritable(Exception):
    """Raised by `require_space`; `fault` says what is wrong."""

    def __init__(self, fault: errors.ReadinessFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def is_disk_full(error: BaseException) -> bool:
    """Return whether the error, or one that it was raised from, says that a disk or a quota is full.

    Knows `OSError`, SQLite (SQLITE_FULL) and PostgreSQL (disk_full), also inside SQLAlchemy's errors.
    """
    return any(_says_full(each) for each in _chain(error))


def unforeseen(error: Exception) -> errors.PlugportError:
    """Return the error that a client gets for one that nobody foresaw: a full disk has its own."""
    kind = errors.InsufficientStorage if is_disk_full(error) else errors.Internal
    made = kind(f"{type(error).__name__}: {error}")
    made.__cause__ = error
    return made


def require_space(folder: Path, min_free_bytes: int) -> None:
    """Raise `Unwritable` if fewer than `min_free_bytes` are free below `folder`, or a small file cannot be written
    there. Blocking; may be repeated; leaves nothing behind."""
    try:
        status = os.statvfs(folder)
        if status.f_bavail * status.f_frsize < min_free_bytes:
            raise Unwritable(errors.ReadinessFault.DISK_FULL)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(_PROBE)
            probe.flush()
    except OSError as error:
        full, unwritable = errors.ReadinessFault.DISK_FULL, errors.ReadinessFault.UNWRITABLE
        raise Unwritable(full if is_disk_full(error) else unwritable) from error


def _chain(error: BaseException) -> Iterator[BaseException]:
    pending, seen = [error], set[int]()
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = (each.__cause__, each.__context__, getattr(each, "orig", None))
        pending += [nested for nested in inner if isinstance(nested, BaseException)]
        if isinstance(each, BaseExceptionGroup):
            pending += each.exceptions


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    sqlite_code = getattr(error, "sqlite_errorcode", None)
    return (isinstance(sqlite_code, int) and sqlite_code & 0xFF == _SQLITE_FULL) or (
        getattr(error, "sqlstate", None) == _POSTGRES_FULL
    )
