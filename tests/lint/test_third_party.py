"""A rule of another package that was written for the first release works for one minor version more."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from support.rule_sites import rule_site

from plugport import lint_rules
from plugport.lint_rules.engine import old_rules
from plugport.lint_rules.engine.installed_rules import InstalledRule

RULE = Path(__file__).with_name("rule_of_first_release.py")
"""The module of the skeleton `new-provider --kind lint-rule` of that release, word for word."""
REGISTRATION = """\
from plugport.hookspecs import RuleDescriptor, hookimpl


@hookimpl
def lint_rules() -> list[RuleDescriptor]:
    return [RuleDescriptor("XY001", "1", "acme_registry.formatted_log:FormattedLog")]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH in which the rule is installed."""
    return rule_site(tmp_path, "acme-registry", {"__init__.py": REGISTRATION, "formatted_log.py": RULE.read_text()})


def test_it_finds_what_it_found(project, site):
    made = project({"pyproject.toml": "[tool.plugport.lint]\n", "a.py": "log.info(f'found {name}')\nprint(f'{x}')\n"})
    done = made.json(environment={"PYTHONPATH": str(site)})
    assert done.places == [("XY001", "a.py", 1)], done.stderr
    assert "XY001 of acme-registry 1.0 is a rule of the old shape, which version 0.3 does not run" in done.stderr
    assert "acme_registry.formatted_log:FormattedLog a plugport.lint_rules.LintRule" in done.stderr
    assert made.json(environment={"PYTHONPATH": str(site)}).items == done.items  # from the cache


def test_a_rule_that_inherits_the_old_shape_runs_through_the_adapter_and_its_author_is_warned(monkeypatch):
    class Old(lint_rules.Rule):
        def __init__(self, config):
            self.seen = config

        def wants(self, data):
            return data == b"x"

        def summarise(self, file):
            return {"file": file.relative}

        def link(self, summaries):
            return sorted(summaries)

        def check(self, file, linked, summaries):
            return [lint_rules.Finding("XY009", file.relative, lint_rules.Span(1, 1, 1, 2), str(linked))]

    installed = InstalledRule("XY009", "1", "house:Old", "house 1.0")
    monkeypatch.setattr(InstalledRule, "load", lambda self: (Old, None))
    with pytest.warns(DeprecationWarning, match="XY009 of house 1.0 is a rule of the old shape"):
        rule, note = old_rules.made(installed, {"sanitizers": []})
    assert note is not None
    assert isinstance(rule, lint_rules.LintRule)
    file = lint_rules.SourceFile(Path("a.py"), "a.py", None, b"x")
    assert (rule.wants(b"x"), rule.wants(b"y"), rule.summarise(file)) == (True, False, {"file": "a.py"})
    assert rule.link({"b": 1, "a": 2}) == ["a", "b"]
    assert [finding.message for finding in rule.check(file, 7, None)] == ["7"]


def test_no_built_in_rule_warns(project):
    made = project(
        {"pyproject.toml": "[tool.plugport.lint]\n", "a.py": "import time\n\n\nasync def f():\n    time.sleep(1)\n"}
    )
    done = made.json(python=(sys.executable, "-W", "error::DeprecationWarning:plugport"))
    assert (done.exit, done.stderr) == (1, "")


def test_the_names_that_it_imports_warn_and_are_the_same():
    sys.modules.pop("plugport.lint_rules.engine.model", None)
    with pytest.warns(DeprecationWarning, match="engine.model is now plugport.lint_rules"):
        old = importlib.import_module("plugport.lint_rules.engine.model")
    for name in old.__all__:
        assert getattr(old, name) is getattr(lint_rules, name)


def test_the_tests_of_its_skeleton_hold(site, tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom plugport.lint_rules.engine.model import Example\n"
        "from plugport.lint_rules.testing import examples, findings\n"
        "for kind in ('VALID', 'INVALID'):\n    for number, example in enumerate(examples('XY001', kind)):\n"
        "        folder = Path(sys.argv[1]) / f'{kind}{number}'\n        folder.mkdir()\n"
        "        assert isinstance(example, Example)\n"
        "        assert [one.span.line for one in findings('XY001', example, folder)] == list(example.lines)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(tmp_path)],
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
