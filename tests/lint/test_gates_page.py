"""docs/gates.md is followed from its first block to its last, as a reader would."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

PAGE = Path(__file__).resolve().parents[2] / "docs/gates.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _commands(block: str) -> list[tuple[str, str]]:
    """Each command of a console block with what it prints."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def _fits(printed: str, shown: str) -> bool:
    """Whether a command printed what the page shows; a line `…` stands for any lines."""
    pattern = "".join(r"(.*\n)*" if line.strip() == "…" else re.escape(line) for line in shown.splitlines(True))
    return re.fullmatch(pattern, printed) is not None


def test_every_example_of_the_page_does_what_it_says(project, tmp_path):
    made = project({"app/__init__.py": ""})
    shown = 0
    for kind, text in BLOCK.findall(PAGE.read_text("utf-8")):
        name = text.partition("\n")[0].removeprefix("# ")
        if kind in {"toml", "python"} and not name.startswith("house-rules/"):
            made.write({name: text})
        for command, output in _commands(text) if kind == "console" else ():
            assert command.startswith("plugport lint")
            done = made.lint(*shlex.split(command)[2:])
            assert _fits(done.stdout + done.stderr, output), (command, done.stdout + done.stderr)
            shown += 1
    assert shown == 4
    assert made.lint("--config", "another.toml").exit in {0, 1}
    assert made.lint("--config", "sinks.toml").exit in {0, 1}


def test_the_pages_ci_steps_are_steps():
    (steps,) = (yaml.safe_load(text) for kind, text in BLOCK.findall(PAGE.read_text("utf-8")) if kind == "yaml")
    assert [set(step) for step in steps] == [{"run"}] * 3


@pytest.fixture
def house_rules(tmp_path):
    """A folder for PYTHONPATH in which the page's rules are installed."""
    blocks = {text.partition("\n")[0]: text for _, text in BLOCK.findall(PAGE.read_text("utf-8"))}
    package = tomllib.loads(blocks["# house-rules/pyproject.toml"])["project"]
    info = tmp_path / f"site/{package['name'].replace('-', '_')}-{package['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package['name']}\nVersion: {package['version']}\n")
    points = "".join(f"{name} = {target}\n" for name, target in package["entry-points"]["plugport.lint"].items())
    (info / "entry_points.txt").write_text(f"[plugport.lint]\n{points}")
    first = 'RuleDescriptor("HR001", "1", "house_rules:FormattedLog")'
    text = blocks["# house-rules/house_rules.py"]
    assert first in text
    both = text.replace(first, f'{first}, RuleDescriptor("HR002", "1", "deprecated:DeprecatedCall")')
    (tmp_path / "site/house_rules.py").write_text(both)
    (tmp_path / "site/deprecated.py").write_text(blocks["# house-rules/deprecated.py"])
    return {"PYTHONPATH": str(tmp_path / "site")}


def test_the_pages_rule_is_found_and_its_examples_hold(project, house_rules):
    made = project(
        {
            "pyproject.toml": "[tool.plugport.lint]\n",
            "bad.py": "import logging\n\nlogging.info(f'found {name}')\nlogging.info(f'{name:>3}')\n",
            "good.py": "import logging\n\nlogging.info('found %s', name)\nlog.info(f'found {name}')\n",
        }
    )
    done = made.json(environment=house_rules)
    assert done.places == [("HR001", "bad.py", 3), ("HR001", "bad.py", 4)], done.stderr


def test_the_pages_rule_across_files_sees_what_another_module_says(project, house_rules):
    made = project(
        {
            "pyproject.toml": "[tool.plugport.lint]\n",
            "old.py": "from warnings import deprecated\n\n\n@deprecated('use g')\ndef f():\n    pass\n",
            "new.py": "from old import f as call\nimport old\n\ncall()\nold.f()\nf()\n",
        }
    )
    done = made.json(environment=house_rules)
    assert done.places == [("HR002", "new.py", 4), ("HR002", "new.py", 5)], done.stderr
