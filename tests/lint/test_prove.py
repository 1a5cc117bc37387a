"""`--prove`: a gate that cannot fail is worse than none."""

from __future__ import annotations

import json

import libcst as cst
import pytest
from support.corpus import cases

from plugport.lint_rules import Mutant
from plugport.lint_rules.analysis.flow.handlers import handlers_of, may_have_handlers
from plugport.lint_rules.analysis.flow.module import Module
from plugport.lint_rules.analysis.flow.registrations import registrations_of
from plugport.lint_rules.analysis.flow.sink_table import builtin_table
from plugport.lint_rules.command.prove import _spread

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


FASTAPI = """\
from fastapi import APIRouter

router = APIRouter()


@router.get("/")
async def show(name: str):
    \"\"\"Show it.\"\"\"
    return {"name": name}
"""
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.errorhandler(ValueError)\ndef failed(error):\n    return 'it failed'\n"
TORNADO = "import tornado.web\n\n\nclass Base(tornado.web.RequestHandler):\n    pass\n\n\nclass Show(Base):\n    def get(self):\n        self.write('x')\n"
STARLETTE = "from starlette.routing import Route\n\n\nasync def show(r):\n    return None\n\n\nroutes = [Route('/', endpoint=show)]\n"
STREAM = "from starlette.requests import Request\n\n\nasync def lines(request: Request):\n    yield 'x'\n"


@pytest.mark.parametrize(
    ("source", "count"), [(FASTAPI, 4), (FLASK, 4), (TORNADO, 3), (STARLETTE, 3), (STREAM, 3)],
    ids=["a route's decorator", "an exception handler", "a class of a framework", "a registered route", "a stream"],
)  # fmt: skip
def test_every_handler_is_proven_also_without_an_except_clause(project, source, count):
    done = project({"pyproject.toml": "[tool.plugport.lint]\n", "api.py": source}).lint(
        "--prove", "--select", "PP002"
    )
    assert "survived" not in done.stdout
    assert f"PP002: {count} of {count} mistakes caught" in done.stdout, done.stdout + done.stderr


def _proven(project, source):
    made = project({"pyproject.toml": "[tool.plugport.lint]\n", "api.py": source})
    return made.lint("--prove", "--select", "PP002").stdout.strip()


def test_a_clause_and_a_handler_for_texts_that_were_written_for_clients_are_proven_with_another_exception(project):
    source = (
        "from flask import Flask, jsonify\n\napp = Flask(__name__)\n\n\nclass Refused(Exception):\n"
        "    def __init__(self):\n        super().__init__('refused')\n\n\n@app.errorhandler(Refused)\n"
        "def refused(error):\n    return jsonify({'error': str(error)})\n\n\n@app.get('/')\ndef show():\n"
        "    try:\n        return work()\n    except (\n        Refused,\n        Refused,\n    ) as error:\n"
        "        return jsonify({'error': str(error)})\n"
    )
    assert _proven(project, source) == "PP002: 7 of 7 mistakes caught"


def test_a_clause_for_everything_is_proven(project):
    source = "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get('/')\ndef show():\n    try:\n        work()\n    except:\n        pass\n    return 'x'\n"
    assert _proven(project, source) == "PP002: 4 of 4 mistakes caught"


def test_what_is_called_request_is_none_if_its_class_and_the_module_know_nothing_of_the_web(project):
    policy = "class Ticket:\n    pass\n\n\ndef check(request: Ticket):\n    try:\n        work()\n    except OSError:\n        return False\n"
    assert _proven(project, policy) == "PP002: nothing here to prove it on"
    assert _proven(project, policy.replace(": Ticket", "")) == "PP002: 3 of 3 mistakes caught"
    assert _proven(project, f"from django.http import HttpRequest\n\n\n{policy}") == "PP002: 3 of 3 mistakes caught"


def test_a_file_that_is_left_out_by_its_bytes_has_no_handler():
    table = builtin_table()
    handlers = 0
    for case in cases("PP002"):
        for path, text in case.files:
            tree = cst.parse_module(text)
            module = Module(tree, "example", False, table)
            module.registered = registrations_of(module)
            count = len(list(handlers_of(tree, module)))
            assert not count or may_have_handlers(text.encode(), table), (case.id, path)
            handlers += count
    assert handlers > 500
    assert not may_have_handlers(b"import os\n\n\ndef work(name):\n    return os.listdir(name)\n", table)


CALLS = """\
[[tool.plugport.lint.only-caller]]
calls = ["billing.api.charge", "billing.api.Client.refund"]
allow = ["pay.py::pay"]

[[tool.plugport.lint.only-caller]]
calls = ["html.escape"]
allow = []

[[tool.plugport.lint.only-caller]]
preset = "docker-list"
allow = []
"""


def test_each_table_with_calls_is_proven_and_each_that_allows_nobody(project):
    pay = "from billing.api import charge\n\n\ndef pay(amount):\n    charge(amount)\n"
    desk = "from pay import pay\n\n\ndef sell(amount):\n    pay(amount)\n"
    done = project({"pyproject.toml": CALLS, "pay.py": pay, "desk.py": desk}).lint("--prove", "--select", "PP001")
    assert done.exit == 0, done.stdout + done.stderr
    assert "PP001: 7 of 7 mistakes caught" in done.stdout


def test_mutants_are_spread_over_the_sorts_of_mistakes():
    mutants = [Mutant("a.py", number, "often", "") for number in range(500)] + [Mutant("b.py", 1, "once", "")]
    tried = _spread(mutants)
    assert len(tried) <= 61
    assert {mutant.mistake for mutant in tried} == {"often", "once"}
    assert _spread([]) == []
