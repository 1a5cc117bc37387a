"""`--show-config` prints what is in force, and what it prints is a configuration."""

from __future__ import annotations

import tomllib

CONFIG = """\
[tool.other]
x = 1

[tool.plugport.lint]
exclude = ["build/**"]

[[tool.plugport.lint.only-caller]]
preset = "docker-inspect"
allow = ["src/app/running.py::state"]

[tool.plugport.lint.rules.XY001]
most = 3
words = { "a b" = "\u00e9\\n" }
"""


def test_it_is_loadable_again_and_says_the_same(project):
    made = project({"pyproject.toml": CONFIG, "src/app/running.py": "def state(): ...\n"})
    shown = made.lint("--show-config")
    assert shown.exit == 0, shown.stderr
    table = tomllib.loads(shown.stdout)["tool"]["plugport"]["lint"]
    written = tomllib.loads(CONFIG)["tool"]["plugport"]["lint"]
    assert table == {"roots": [], "sanitizers": [], **written}
    assert f"# root: {made.folder}\n# from: {made.folder}/pyproject.toml\n" in shown.stdout
    assert "# rule: PP001, version " in shown.stdout
    assert ", with docker-inspect\n" in shown.stdout
    assert "# modules: src/ is imported as …\n" in shown.stdout
    again = made.write({"again.toml": shown.stdout}).lint("--show-config", "--config", "again.toml")
    assert tomllib.loads(again.stdout) == tomllib.loads(shown.stdout)


def test_without_a_configuration_it_shows_the_defaults(project):
    shown = project({"a.py": ""}).lint("--show-config", "--select", "pp001,PP004")
    assert "# from: nothing, these are the defaults\n" in shown.stdout
    assert "off: there is no only-caller table" in shown.stdout
    assert "PP002" not in shown.stdout
    assert tomllib.loads(shown.stdout)["tool"]["plugport"]["lint"] == {"exclude": [], "roots": [], "sanitizers": []}


def test_what_a_run_would_refuse_it_refuses(project):
    wrong = '[[tool.plugport.lint.only-caller]]\npreset = "docker-inspekt"\nallow = []\n'
    done = project({"pyproject.toml": wrong, "a.py": ""}).lint("--show-config")
    assert (done.exit, "docker-inspekt" in done.stderr) == (2, True)
