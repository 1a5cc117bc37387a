"""Finds the Python files of a run, without those of tools, environments and installed packages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .configuration import Configuration
from .errors import UsageError
from .globs import compile_globs

SKIPPED = frozenset(
    {
        ".eggs", ".git", ".hg", ".hypothesis", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".svn", ".tox",
        ".venv", "__pycache__", "__pypackages__", "node_modules", "site-packages",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DiscoveredFiles:
    """The files of a run by absolute path, each with its path relative to the root (with `/`, and `..` outside of
    it). `checked` are those to report on; the others are read because they say something about the project."""

    files: dict[str, str]
    checked: frozenset[str]


def discover(configuration: Configuration, paths: Sequence[Path]) -> DiscoveredFiles:
    """Find what to lint, and what to read beside it. Raises `UsageError` for a path that does not exist."""
    root = str(configuration.root)
    excluded = compile_globs(configuration.exclude)
    checked: set[str] = set()
    around: set[str] = set()
    reads_project = not paths
    for path in paths:
        absolute = os.path.normpath(path.absolute())
        if configuration.file is not None and _below(absolute, root):
            reads_project = True
        if os.path.isdir(absolute):  # noqa: PTH112 - strings are kept throughout, for speed
            checked.update(_walk(absolute, root, excluded))
        elif os.path.isfile(absolute):  # noqa: PTH113
            if not _is_excluded(_relative(absolute, root), excluded):
                checked.add(absolute)
            if configuration.file is None or not _below(absolute, root):
                around.update(_surroundings(absolute))
        else:
            raise UsageError(f"{path} does not exist: give files or folders, or none for the whole project")
    everything = {file for file in around if not _is_excluded(_relative(file, root), excluded)}
    if reads_project:
        everything.update(_walk(root, root, excluded))
    if not paths:
        checked = everything
    ordered = sorted(everything | checked)
    return DiscoveredFiles({absolute: _relative(absolute, root) for absolute in ordered}, frozenset(checked))


def _walk(top: str, root: str, excluded: re.Pattern[str] | None) -> Iterator[str]:
    prefix = "" if top == root else f"{_relative(top, root)}/"
    stack = [(top, prefix)]
    if prefix and _is_excluded(prefix.rstrip("/"), excluded):
        return
    while stack:
        folder, prefix = stack.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue  # Python could not import from a folder that may not be read either
        if folder != top and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            name = entry.name
            if _is_excluded(prefix + name, excluded):
                continue
            if name.endswith(".py") and entry.is_file():
                yield entry.path
            elif name not in SKIPPED and entry.is_dir(follow_symlinks=False):
                stack.append((entry.path, f"{prefix}{name}/"))


def _is_excluded(relative: str, excluded: re.Pattern[str] | None) -> bool:
    return excluded is not None and excluded.fullmatch(relative) is not None


def _below(absolute: str, root: str) -> bool:
    return absolute == root or absolute.startswith(root.rstrip("/") + "/")


def _relative(absolute: str, root: str) -> str:
    if _below(absolute, root):
        return absolute[len(root.rstrip("/")) + 1 :]
    return os.path.relpath(absolute, root).replace(os.sep, "/")


def _surroundings(file: str) -> Iterator[str]:
    """Yield what to read with a single file outside of any project: the files beside it and the package around it."""
    folder = os.path.dirname(file)  # noqa: PTH120
    package = None
    while os.path.isfile(os.path.join(folder, "__init__.py")):  # noqa: PTH113, PTH118
        package = folder
        folder = os.path.dirname(folder)  # noqa: PTH120
    if package is not None:
        yield from _walk(package, package, None)
    try:
        with os.scandir(folder) as entries:
            yield from (entry.path for entry in entries if entry.name.endswith(".py") and entry.is_file())
    except OSError:
        return
