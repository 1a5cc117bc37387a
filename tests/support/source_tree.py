"""The Python files of this repository, by what they belong to."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("builtin_backends", "core", "hookspecs", "lint_rules")


def product_files(root: Path = ROOT) -> list[Path]:
    """Return the modules of the four packages, without `core/data`: its files are data that the product writes."""
    files = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    return [path for path in files if not path.is_relative_to(root / "core/data")]


def files_of_tests(root: Path = ROOT) -> list[Path]:
    """Return every Python file below `tests`."""
    return sorted((root / "tests").rglob("*.py"))
