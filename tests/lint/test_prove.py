"""`--prove`: a gate that cannot fail is worse than none."""

from __future__ import annotations

import json

CONFIG = """\
[[tool.plugport.lint.only-caller]]
preset = "docker-inspect"
allow = ["running.py::container_state"]
"""
RUNNING = "import docker\n\n\ndef container_state(name):\n    return docker.from_env().containers.get(name).status\n"
USE = "from running import container_state\n\n\ndef check(name):\n    return container_state(name) == 'running'\n"
HANDLER = """\
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


async def show(request: Request) -> Response:
    try:
        work()
    except ValueError:
        return JSONResponse({"error": "it failed"})
    return JSONResponse({})
"""


def test_each_mistake_that_somebody_might_make_is_caught(project):
    made = project({"pyproject.toml": CONFIG, "running.py": RUNNING, "use.py": USE, "api.py": HANDLER})
    done = made.lint("--prove")
    assert done.exit == 0, done.stdout + done.stderr
    assert "PP001: 1 of 1 mistakes caught" in done.stdout
    assert "PP002: 3 of 3 mistakes caught" in done.stdout
    assert "PP003: nothing here to prove it on" in done.stdout
    assert "PP004: 1 of 1 mistakes caught" in done.stdout
    assert made.json().exit == 0


def test_no_mistake_is_put_between_a_decorator_and_its_definition(project):
    source = "async def show():\n    @register\n    class Kept:\n        pass\n\n    return Kept\n"
    done = project({"pyproject.toml": "", "api.py": source}).lint("--prove", "--select", "PP004")
    assert done.exit == 0, done.stdout + done.stderr
    assert "survived" not in done.stdout


def test_a_gate_that_does_not_see_is_told(project):
    blind = CONFIG.replace(
        'allow = ["running.py::container_state"]', 'allow = ["running.py::container_state", "use.py::check"]'
    )
    made = project({"pyproject.toml": blind, "running.py": RUNNING, "use.py": USE})
    done = made.lint("--prove", "--select", "PP001")
    assert done.exit == 1
    assert "survived: use.py:5" in done.stdout
    survivors = json.loads(made.lint("--prove", "--select", "PP001", "--format", "json").stdout)
    assert [(mutant["rule"], mutant["path"], mutant["line"]) for mutant in survivors] == [("PP001", "use.py", 5)]
