"""Imports point one way, are relative inside the packages, run in no circle, and keep the light parts light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.imports import Module, absolute_imports, circles, import_graph, imported_packages
from support.source_tree import ROOT, product_files

MAY_IMPORT = {
    "hookspecs": {"hookspecs"},
    "builtin_backends": {"builtin_backends", "hookspecs"},
    "lint_rules": {"lint_rules", "hookspecs"},
    "core": {"core", "hookspecs"},
}
BY_PATH = {
    "hookspecs/conformance/cli_suite.py": "pytest loads it by its path, so it has no package to be relative to"
}
"""The modules that import by absolute names, with the reason."""


def modules(root: Path = ROOT) -> list[Module]:
    return [Module(path, root) for path in product_files(root)]


def against_the_direction(root: Path = ROOT) -> list[str]:
    """Every module that reaches a package which it must not know."""
    wrong = []
    for module in modules(root):
        folder, *below = module.path.relative_to(root).parts
        allowed = MAY_IMPORT[folder] | ({"lint_rules"} if folder == "core" and below[0] == "cli" else set())
        reached = sorted(imported_packages(module) - allowed)
        wrong += [f"{module.path.relative_to(root).as_posix()} imports {package}" for package in reached]
    return wrong


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_imports_point_one_way():
    assert against_the_direction() == []


@pytest.mark.parametrize(
    "text",
    [
        "from plugport.builtin_backends import host",
        "from plugport import builtin_backends",
        "import plugport.builtin_backends.host as host",
        "from ...builtin_backends import host",
        "from ... import builtin_backends",
        "from ...builtin_backends.docker.running import container_state",
        "def f():\n    from ...builtin_backends import host",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ...builtin_backends import host",
        'import importlib\nimportlib.import_module("plugport.builtin_backends.host")',
        'from importlib import import_module as load\nload("plugport.builtin_backends.host")',
        'import importlib\nimportlib.import_module(f"plugport.builtin_backends.{name}")',
        'import importlib\nimportlib.import_module(".host", "plugport.builtin_backends")',
        'import importlib\nimportlib.import_module("...builtin_backends.host", __package__)',
        'import importlib\nimportlib.import_module(f"...builtin_backends.{name}", __package__)',
        '__import__("plugport.builtin_backends.host")',
        'RULES = ("plugport.builtin_backends.host:provider",)',
        'CODE = "import sys, plugport.builtin_backends.host"',
    ],
)
def test_the_check_sees_every_way_to_import_in_the_wrong_direction(tmp_path, text):
    write(tmp_path, {"core/api/bad.py": text})
    assert against_the_direction(tmp_path) == ["core/api/bad.py imports builtin_backends"]


def test_the_check_sees_the_bare_namespace(tmp_path):
    write(tmp_path, {"core/bad.py": "import plugport\n"})
    assert against_the_direction(tmp_path) == ["core/bad.py imports plugport"]


def test_the_check_takes_no_relative_import_of_the_own_package_for_a_wrong_one(tmp_path):
    good = '"""Not plugport.core."""\nfrom ..values import json\nfrom .. import errors\nfrom . import base\n'
    write(tmp_path, {"hookspecs/errors/good.py": good})
    assert against_the_direction(tmp_path) == []


def test_imports_inside_the_packages_are_relative():
    lines = [line for module in modules() for line in absolute_imports(module)]
    assert [line for line in lines if line.partition(":")[0] not in BY_PATH] == []


@pytest.mark.parametrize(
    "text", ["from plugport.core import app", "import plugport.core.app", "from plugport import core"]
)
def test_the_check_sees_an_absolute_import(tmp_path, text):
    write(tmp_path, {"core/bad.py": f"\n{text}\nfrom . import good\n"})
    assert [line for module in modules(tmp_path) for line in absolute_imports(module)] == ["core/bad.py:2"]


def test_no_modules_import_each_other_in_a_circle():
    assert circles(import_graph(modules())) == []


@pytest.mark.parametrize(
    "files",
    [
        {"core/a.py": "from . import b", "core/b.py": "from .a import x"},
        {"core/a.py": "try:\n    from . import b\nfinally:\n    pass", "core/b.py": "class X:\n    from . import a"},
        {"core/__init__.py": "from .a import x", "core/a.py": "from . import x"},
        {"core/a.py": "from .b.c import x", "core/b/__init__.py": "from ..a import y", "core/b/c.py": ""},
    ],
)
def test_the_check_sees_a_circle(tmp_path, files):
    assert len(circles(import_graph(modules(write(tmp_path, files))))) == 1


@pytest.mark.parametrize(
    "files",
    [
        {"core/a.py": "from . import b", "core/b.py": "def f():\n    from . import a"},
        {"core/a.py": "from . import b", "core/b.py": "if TYPE_CHECKING:\n    from . import a"},
        {"core/__init__.py": "from .a import x", "core/a.py": "from .b import x", "core/b.py": ""},
    ],
)
def test_the_check_takes_no_other_imports_for_a_circle(tmp_path, files):
    assert circles(import_graph(modules(write(tmp_path, files)))) == []


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
