"""Builds the wheel from the sdist and compares it with the tree: every module and data file, and nothing else.

A program: `python tests/project/wheel_contents.py`. Exits 1 and names what is missing or too much.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("hookspecs", "core", "builtin_backends", "lint_rules")


def expected() -> set[str]:
    """What git tracks below the packages, under its name in the wheel."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z", *FOLDERS], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return {f"plugport/{name}" for name in tracked.split("\0") if name}


def built(folder: Path) -> set[str]:
    """What the wheel holds beside its metadata. It is built from the sdist: a `build` folder may hold old files."""
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if ".dist-info/" not in name}


def main() -> int:
    """The exit code."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, contained = expected(), built(Path(folder))
    for name in sorted(wanted - contained):
        print(f"missing from the wheel: {name}")
    for name in sorted(contained - wanted):
        print(f"in the wheel, but not in the tree: {name}")
    print(f"wheel: {len(contained)} files")
    return 1 if wanted != contained else 0


if __name__ == "__main__":
    raise SystemExit(main())
