"""pyproject.toml lists every package, for the wheel and for the coverage report."""

from __future__ import annotations

import tomllib

from support.source_tree import ROOT, product_files

CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]


def test_every_package_is_listed_for_the_wheel():
    packages = {f"plugport.{'.'.join(path.parent.relative_to(ROOT).parts)}" for path in product_files()}
    assert set(CONFIGURATION["setuptools"]["packages"]) == packages


def test_every_package_is_listed_for_the_coverage_report():
    assert set(CONFIGURATION["coverage"]["run"]["source_pkgs"]) == set(CONFIGURATION["setuptools"]["packages"])
