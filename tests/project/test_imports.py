"""Imports point one way, and the light parts stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "hookspecs": {"hookspecs"},
    "builtin_backends": {"builtin_backends", "hookspecs"},
    "lint_rules": {"lint_rules", "hookspecs"},
    "core": {"core", "hookspecs"},
}


def imported(path: Path) -> set[str]:
    """The packages of ours that a file imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            names = [f"plugport.{path.relative_to(ROOT).parts[0]}"]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{one.name}" for one in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("plugport.")}
    return found


def against_the_direction(folder: Path, name: str) -> list[str]:
    """Every import below the folder that points the wrong way."""
    wrong = []
    for path in sorted(folder.rglob("*.py")):
        allowed = set(MAY_IMPORT[name])
        if name == "core" and path.relative_to(folder).parts[0] == "cli":
            allowed.add("lint_rules")
        wrong += [f"{path.name} imports {one}" for one in sorted(imported(path) - allowed)]
    return wrong


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_imports_point_one_way(name):
    assert against_the_direction(ROOT / name, name) == []


def test_the_check_sees_an_import_that_points_the_wrong_way(tmp_path):
    folder = tmp_path / "core"
    folder.mkdir()
    (folder / "bad.py").write_text("def f():\n    from plugport.builtin_backends import host\n")
    assert against_the_direction(folder, "core") == ["bad.py imports builtin_backends"]


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("plugport.hookspecs", "starlette|sqlalchemy|docker|boto3|libcst|pydantic|yaml"),
        ("plugport.core.cli", "starlette|sqlalchemy|docker|boto3|libcst|pydantic|rich|httpx"),
        ("plugport.lint_rules", "starlette|sqlalchemy|docker|boto3|libcst|pydantic"),
    ],
)
def test_the_light_parts_import_nothing_heavy(module, never):
    code = f"import sys, {module}; print(sorted(set(sys.modules) & set({never.split('|')!r})))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
