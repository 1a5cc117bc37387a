"""Where things are: files for SARIF, and the page of a rule."""

from __future__ import annotations

import os
from importlib.metadata import metadata
from pathlib import Path
from urllib.parse import quote

from ..engine.installed_rules import ENGINE_CODES

PROJECT = "https://pypi.org/project/plugport/"
_BUILT_IN = "plugport.lint_rules."


class Artifacts:
    """The addresses of files in a SARIF log: relative to the folder of the repository, so that a run in a subfolder
    names the files as a run at the top does; without a repository, to the working directory."""

    BASE = "%SRCROOT%"

    def __init__(self, root: Path, working_directory: Path) -> None:
        self._root = root
        self.base = _repository(working_directory) or working_directory

    def __call__(self, relative: str) -> dict[str, object]:
        """Return the location of a file by its path relative to the lint root."""
        path = Path(os.path.normpath(self._root / relative))
        if path.is_relative_to(self.base):
            return {"uri": quote(path.relative_to(self.base).as_posix()), "uriBaseId": self.BASE}
        return {"uri": path.as_uri()}

    def bases(self) -> dict[str, object]:
        """Return SARIF's `originalUriBaseIds`."""
        return {self.BASE: {"uri": self.base.as_uri().rstrip("/") + "/"}}


def page_of(code: str, target: str = _BUILT_IN) -> str | None:
    """Return the address of a rule's page in docs/gates/, below the project's `Documentation` address if its metadata
    has one; else the project's. None for another distribution's rule, of which nothing is known."""
    if code not in ENGINE_CODES and not target.startswith(_BUILT_IN):
        return None
    for entry in metadata("plugport").get_all("Project-URL") or ():
        label, _, address = str(entry).partition(",")
        if label.strip().lower() == "documentation":
            return f"{address.strip().rstrip('/')}/gates/{code}.md"
    return PROJECT


def _repository(folder: Path) -> Path | None:
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)
