"""The project's own gates over the project: clean as it stands, and not after a regression."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

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


def _breaks(folder: Path, files: dict[str, str]) -> list[str]:
    """The findings once these files are as given here; afterwards the folder is as it was."""
    before = {name: (folder / name).read_text() if (folder / name).exists() else None for name in files}
    for name, text in files.items():
        (folder / name).write_text(text)
    try:
        done = _lint(folder)
    finally:
        for name, old in before.items():
            (folder / name).unlink() if old is None else (folder / name).write_text(old)
    assert done.returncode == 1
    return done.stdout.splitlines()


def test_the_project_is_clean(copied):
    done = _lint(copied)
    assert done.returncode == 0, done.stdout


def test_an_errors_text_in_a_handler_fails_the_gate(copied):
    place = "core/api/service.py"
    before = (copied / place).read_text()
    clean = (
        '        raise errors.NotReady("the database does not answer", errors.ReadinessFault.DATABASE) from error\n'
    )
    assert clean in before
    lines = _breaks(
        copied, {place: before.replace(clean, '        return JSONResponse({"error": str(error)}, 503)\n')}
    )
    assert any(line.startswith(f"{place}:") and "PP002" in line for line in lines)


QUESTIONS = {
    "state": "import docker\n\n\ndef second(name):\n    return docker.from_env().containers.get(name).status\n",
    "list": "import docker\n\n\ndef second(name):\n"
    "    return docker.from_env().containers.list(filters={'name': name})\n",
    "low_level": "def second(api, name):\n    return api.inspect_container(name)\n",
}
PLACES = ["core", "builtin_backends", "tests"]


@pytest.fixture(scope="module")
def with_second_questions(copied) -> list[str]:
    """The findings of one run over the project with every question in every place."""
    return _breaks(
        copied, {f"{place}/second_{name}.py": text for place in PLACES for name, text in QUESTIONS.items()}
    )


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("place", PLACES)
def test_a_second_question_to_the_engine_fails_the_gate(with_second_questions, question, place):
    start = f"{place}/second_{question}.py:"
    assert any(line.startswith(start) and "PP001" in line for line in with_second_questions)
