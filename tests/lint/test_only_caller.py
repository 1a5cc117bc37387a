"""PP001: who may call, and tables that cannot be used. What it sees is in `corpus/PP001`."""

from __future__ import annotations

import pytest

CONFIG = """\
[[tool.plugport.lint.only-caller]]
preset = "docker-inspect"
allow = ["running.py::container_state", "engine.py::Engine.state"]
[[tool.plugport.lint.only-caller]]
preset = "docker-list"
allow = ["running.py::container_state"]
"""


def _lines(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# BAD")]


def _finding_lines(project, files: dict[str, str]) -> dict[str, list[int]]:
    done = project({"pyproject.toml": CONFIG, **files}).json("--select", "PP001", "--no-cache")
    assert done.exit in {0, 1}, done.stderr
    lines: dict[str, set[int]] = {}
    for _, path, line in done.places:
        lines.setdefault(path, set()).add(line)
    return {path: sorted(numbers) for path, numbers in lines.items()}


def test_only_the_named_function_may(project):
    allowed = (
        "import docker\n\n\ndef container_state(name):\n    def ask():\n"
        "        return docker.from_env().containers.get(name).status\n    return ask()\n\n\n"
        "def other(name):\n    return docker.from_env().containers.get(name)  # BAD\n"
    )
    method = (
        "import docker\n\n\nclass Engine:\n    def state(self):\n        return docker.from_env().containers.get('x')\n\n"
        "    def other(self):\n        return docker.from_env().containers.get('x')  # BAD\n\n\n"
        "class Another:\n    def state(self):\n        return docker.from_env().containers.get('x')  # BAD\n"
    )
    files = {"running.py": allowed, "engine.py": method, "sub/running.py": allowed.replace("  # BAD", "")}
    reported = _finding_lines(project, files)
    assert reported == {"running.py": _lines(allowed), "engine.py": _lines(method), "sub/running.py": [6, 11]}


@pytest.mark.parametrize(
    "table",
    [
        "preset = 'nothing'",
        "allow = []",
        "preset = 'docker-list'\nallow = ['x']",
        "calls = 7",
        "preset = 'docker-list'\nx = 1",
    ],
)
def test_a_table_that_cannot_be_used_is_exit_2(project, table):
    text = f"[[tool.plugport.lint.only-caller]]\n{table}\n"
    assert project({"pyproject.toml": text, "a.py": "x = 1\n"}).json().exit == 2
