"""Shows the paths of findings, which are relative to the lint root, as seen from the working directory."""

from __future__ import annotations

import os
from pathlib import Path


class DisplayPaths:
    """Turns a path relative to the lint root into one relative to the working directory, with `/`."""

    def __init__(self, root: Path, working_directory: Path) -> None:
        self.working_directory = working_directory
        self._root = str(root)
        self._working_directory = str(working_directory)
        self._same = self._root == self._working_directory

    def __call__(self, relative: str) -> str:
        if self._same:
            return relative or "."
        absolute = os.path.join(self._root, relative)  # noqa: PTH118 - thousands of findings
        return self.absolute(absolute)

    def absolute(self, path: str) -> str:
        """Return an absolute path as seen from the working directory."""
        return os.path.relpath(path, self._working_directory).replace(os.sep, "/")
