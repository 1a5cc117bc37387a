"""Reads what was delivered, for tests."""

from __future__ import annotations

import os
from pathlib import Path


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def plugins_in(config: Path) -> list[str]:
    """The names in `plugins`, without plugport's own folder, in which no staging may be left."""
    plugins = config / "plugins"
    return sorted(set(os.listdir(plugins)) - {".plugport"}) + [str(path) for path in staging_of(config)]


def staging_of(config: Path) -> list[Path]:
    """The staging folders of deliveries that are not done."""
    return sorted((config / "plugins/.plugport/staging").glob("*"))
