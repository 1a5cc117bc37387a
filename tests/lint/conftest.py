"""Small projects on the disk, and the gates run over them, in this process or as a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PYTHON = sys.executable


@dataclass(frozen=True)
class Outcome:
    """What a run of the command left."""

    exit: int
    stdout: str
    stderr: str

    @property
    def items(self) -> list[dict]:
        """The list of `--format json`."""
        return json.loads(self.stdout)

    @property
    def places(self) -> list[tuple[str, str, int]]:
        """Rule, path and line of each finding."""
        return [(item["rule"], item["path"], item["line"]) for item in self.items]


@dataclass(frozen=True)
class Project:
    """A folder with files, and a cache folder of its own."""

    folder: Path
    cache: Path

    def write(self, files: Mapping[str, str | bytes]) -> Project:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def lint(
        self,
        *arguments: str,
        cwd: Path | None = None,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        python: Sequence[str] = (PYTHON,),
    ) -> Outcome:
        """Run `plugport lint` there."""
        done = subprocess.run(
            [*python, "-m", "plugport.lint_rules", "lint", *arguments],
            cwd=cwd or self.folder,
            input=stdin,
            capture_output=True,
            env={**os.environ, "XDG_CACHE_HOME": str(self.cache), **(environment or {})},
            check=False,
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    def json(self, *arguments: str, **options: object) -> Outcome:
        """Run it with `--format json`."""
        return self.lint("--format", "json", *arguments, **options)  # type: ignore[arg-type]


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    """Makes a project of the files that are given as path to text."""
    folder = tmp_path / "project"
    folder.mkdir()

    def make(files: Mapping[str, str | bytes] | None = None) -> Project:
        return Project(folder, tmp_path / "cache").write(files or {})

    return make
