"""Installs a package of rules in a folder, as pip would, without pip."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def rule_site(folder: Path, distribution: str, modules: Mapping[str, str]) -> Path:
    """Return a folder for PYTHONPATH with version 1.0 of the distribution: a package of these modules (text by file
    name), which is its entry point in the group `plugport.lint`."""
    site, package = folder / "site", distribution.replace("-", "_")
    info = site / f"{package}-1.0.dist-info"
    for place in (site / package, info):
        place.mkdir(parents=True)
    for name, text in modules.items():
        (site / package / name).write_text(text)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[plugport.lint]\n{distribution} = {package}\n")
    return site
