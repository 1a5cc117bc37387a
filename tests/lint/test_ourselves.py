"""The project's own gates over the project: clean as it stands, and not when somebody brings a scar back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.xdist_group("ourselves"), pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def copied(tmp_path_factory) -> Path:
    """What git tracks here, somewhere else."""
    folder = tmp_path_factory.mktemp("copy")
    names = subprocess.run(
        ["git", "ls-files", "-z", "*.py", "*.toml"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    for name in filter(None, names.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    return folder


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "plugport.core", "lint", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_project_is_clean(copied):
    done = _lint(copied)
    assert done.returncode == 0, done.stdout


def test_an_errors_text_in_a_handler_fails_the_gate(copied):
    place = copied / "core/api/service.py"
    before = place.read_text()
    clean = '        raise errors.NotReady("the database does not answer") from error\n'
    assert clean in before
    place.write_text(before.replace(clean, '        return JSONResponse({"error": str(error)}, 503)\n'))
    try:
        done = _lint(copied)
    finally:
        place.write_text(before)
    assert done.returncode == 1
    assert "core/api/service.py:" in done.stdout
    assert "PP002" in done.stdout


@pytest.mark.parametrize(
    "scar",
    [
        "import docker\n\n\ndef second(name):\n    return docker.from_env().containers.get(name).status\n",
        "import docker\n\n\ndef second(name):\n    return docker.from_env().containers.list(filters={'name': name})\n",
        "def second(api, name):\n    return api.inspect_container(name)\n",
    ],
)
@pytest.mark.parametrize("place", ["core/second.py", "builtin_backends/second.py", "tests/second.py"])
def test_a_second_question_to_the_engine_fails_the_gate(copied, scar, place):
    (copied / place).write_text(scar)
    try:
        done = _lint(copied)
    finally:
        (copied / place).unlink()
    assert done.returncode == 1
    assert f"{place}:" in done.stdout
    assert "PP001" in done.stdout
