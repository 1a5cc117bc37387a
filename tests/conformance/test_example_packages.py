"""The packages under examples/ are built, installed beside plugport, held to the kit and to the gates."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.packages import installed_packages
from support.tools import need_tool

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = ("s3-source", "ssh-backend", "opa-policy")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A copy of the examples, and `site`, where their wheels are installed."""
    return installed_packages(tmp_path_factory, "examples", copy_examples)


def copy_examples(folder: Path) -> list[str]:
    leave = shutil.ignore_patterns(".tox", "build", "*.egg-info", "__pycache__")
    for name in NAMES:
        shutil.copytree(EXAMPLES / name, folder / name, ignore=leave)
    return list(NAMES)


def test_these_are_all_of_them():
    assert {path.name for path in EXAMPLES.iterdir() if (path / "pyproject.toml").is_file()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_below_200_lines_without_its_tests(name):
    assert sum(len(path.read_text().splitlines()) for path in (EXAMPLES / name / "src").rglob("*.py")) < 200


@pytest.mark.parametrize("name", NAMES)
def test_each_passes_its_tests_the_kit_and_the_gates(installed, name):
    if name == "ssh-backend":
        need_tool("sshd")
    environment = os.environ | {"PYTHONPATH": str(installed / "site"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for arguments in (["pytest", "-q", "-p", "no:cacheprovider"], ["plugport.lint_rules", "lint", "--no-cache"]):
        done = subprocess.run(
            [sys.executable, "-P", "-m", *arguments],
            cwd=installed / name,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
