"""Tells a project's tests from what it runs: some mistakes do no harm in a test."""

from __future__ import annotations

from pathlib import PurePosixPath

_FOLDERS = frozenset({"test", "tests"})


def is_test_file(relative: str) -> bool:
    """Return whether the file, by its path below the lint root, is one of the project's tests."""
    *folders, name = PurePosixPath(relative).parts
    return name == "conftest.py" or name.startswith("test_") or not _FOLDERS.isdisjoint(folders)
