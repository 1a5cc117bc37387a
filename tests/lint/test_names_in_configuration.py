"""The configuration cannot lie: a name that means nothing is exit 2, with the nearest names."""

from __future__ import annotations

import pytest

from plugport.lint_rules.engine.errors import UsageError
from plugport.lint_rules.engine.lint import Request, lint

FILES = {
    "app/__init__.py": "from .errors import public_message as shown\n",
    "app/errors.py": (
        "from html import *\nimport billing.api\nfrom collections.abc import Mapping as Table\n\nlimit = 3\n\n\n"
        "def public_message(error):\n    return 'no'\n\n\n"
        "class Fault(Exception):\n    def public(self):\n        return 'no'\n\n\n"
        "class Missing(Fault):\n    code = 404\n\n\n"
        "class Other(billing.api.Failure):\n    pass\n\n\n"
        "try:\n    import orjson\nexcept ImportError:\n    def dumps(value): ...\n"
    ),
    "app/lazy.py": "def __getattr__(name):\n    return 1\n",
    "app/running.py": "async def state(name): ...\n\n\nclass Engine:\n    def ask(self):\n        def inner(): ...\n",
}


def _config(**values: object) -> str:
    caller = "[[tool.plugport.lint.only-caller]]\ncalls = {calls}\nallow = {allow}\n" if len(values) > 1 else ""
    return f"[tool.plugport.lint]\nsanitizers = {values['sanitizers']}\n{caller.format(**values)}"


def _problem(project, *, sanitizers=(), calls=("app.errors.public_message",), allow=()) -> str:
    config = _config(sanitizers=list(sanitizers), calls=list(calls), allow=list(allow))
    made = project({**FILES, "pyproject.toml": config})
    try:
        lint(Request(cache=False, select=(), working_directory=made.folder, checks_names=True))
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "name",
    [
        "app.errors.public_message",
        "app.shown",
        "app.errors.Fault.public",
        "app.errors.Missing.public",
        "app.errors.Missing.code",
        "app.errors.Other.anything",
        "app.errors.dumps",
        "app.errors.escape",
        "app.errors.Table.get",
        "app.errors.limit.bit_length",
        "app.errors",
        "app.lazy.whatever",
        "html.escape",
        "json.JSONEncoder.encode",
        "libcst.parse_module",
        "libcst.metadata.MetadataWrapper.resolve",
        "_json.encode_basestring",
        "billing.api.charge",
        "public_message",
        "repr",
    ],
)
def test_a_name_of_the_project_or_of_what_it_uses_is_one(project, name):
    assert _problem(project, sanitizers=[name], calls=[name]) == ""


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("app.errors.public_mesage", "did you mean app.errors.public_message"),
        ("app.error.public_message", "did you mean app.errors.public_message"),
        ("aap.errors.public_message", "did you mean app.errors.public_message"),
        ("app.errors.Fault.publik", "did you mean app.errors.Fault.public"),
        ("app.errors.Missing.nothing", ""),
        ("app.errors.public_message.more", ""),
        ("html.excape", ""),
        ("json.JSONEncoder.encoded", ""),
        ("libcst.metadata.Nothing", ""),
        ("nowhere.at_all", ""),
        ("publik_message", ""),
    ],
)
def test_a_name_that_means_nothing_is_exit_2_with_the_nearest(project, name, near):
    for key, values in (("sanitizers", {"sanitizers": [name]}), ("only-caller[0].calls", {"calls": [name]})):
        problem = _problem(project, **values)
        assert problem.startswith(f"{key}: {name!r} is nothing of this project or of an installed package")
        assert near in problem


@pytest.mark.parametrize("entry", ["app/running.py::state", "app/running.py::Engine.ask", "app/errors.py::dumps"])
def test_a_function_that_is_allowed_is_there(project, entry):
    assert _problem(project, allow=[entry]) == ""


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("app/runing.py::state", "there is no file app/runing.py below"),
        ("app/runing.py::state", "did you mean app/running.py::state?"),
        ("app/errors.py::state", "app/errors.py has no such function"),
        ("app/running.py::stat", "did you mean state?"),
        ("app/running.py::inner", "no such function at its top level, or method"),
        ("app/running.py::Engine.asks", "did you mean Engine.ask"),
        ("app/running.py::ask", "did you mean Engine.ask"),
        ("app/running.py::Engine", "no such function"),
    ],
)
def test_a_function_that_is_not_there_is_exit_2(project, entry, problem):
    said = _problem(project, allow=[entry])
    assert said.startswith(f"only-caller[0].allow: {entry!r}")
    assert problem in said


def test_it_is_exit_2(project):
    made = project({**FILES, "pyproject.toml": _config(sanitizers=["app.errors.public_mesage"])})
    done = made.json()
    assert (done.exit, done.items[0]["rule"]) == (2, "plugport")
    assert made.lint("--prove").exit == 2


def test_an_excluded_file_may_be_allowed_and_a_broken_one_is_given_the_benefit(project):
    config = _config(sanitizers=[], calls=["html.escape"], allow=["gen/x.py::f", "b.py::f"])
    config = config.replace("[tool.plugport.lint]\n", "[tool.plugport.lint]\nexclude = ['gen/**']\n")
    made = project({**FILES, "pyproject.toml": config, "gen/x.py": "def f(): ...\n", "b.py": "def f(:\n"})
    assert made.lint("app").exit == 0, made.lint("app").stderr


def test_files_elsewhere_are_linted_without_the_project(project, tmp_path):
    made = project({**FILES, "pyproject.toml": _config(sanitizers=["app.errors.public_message"])})
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a.py").write_text("x = 1\n")
    assert made.lint("--config", str(made.folder / "pyproject.toml"), str(tmp_path / "other")).exit == 0
