"""docs/gates.md is followed from its first block to its last, as a reader would."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
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
    assert shown == 5
    assert made.lint("--config", "another.toml").exit in {0, 1}
    assert made.lint("--config", "sinks.toml").exit in {0, 1}


RUN = """\
import asyncio, builtins, types

import docker


def refuse(name):
    raise OSError("/srv/secret")


answer = types.SimpleNamespace(status="running")
docker.from_env = lambda: types.SimpleNamespace(containers=types.SimpleNamespace(get=lambda name: answer))
builtins.download = refuse

import app.api

assert app.api.running("agent") is True
print(asyncio.run(app.api.install(None)).body.decode())
"""


def test_fixing_the_examples_of_the_page_leaves_them_clean_formatted_and_running(project):
    texts = [text for kind, text in BLOCK.findall(PAGE.read_text("utf-8")) if kind in {"toml", "python"}]
    files = {text.partition("\n")[0].removeprefix("# "): text for text in texts}
    made = project(
        {"app/__init__.py": "", **{name: text for name, text in files.items() if "house-rules/" not in name}}
    )
    before = {path: path.read_text() for path in made.folder.rglob("*.py")}
    done = made.lint("--fix", "--unsafe")
    assert (done.exit, done.stdout) == (0, "no findings in 7 files\n"), done.stdout + done.stderr
    changed = {path.name for path, text in before.items() if path.read_text() != text}
    assert changed == {"api.py", "fetching.py"}
    ran = subprocess.run([sys.executable, "-c", RUN], cwd=made.folder, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, '{"error":"the request failed"}\n'), ran.stderr
    assert "OSError: /srv/secret" in ran.stderr  # the log
    if ruff := shutil.which("ruff", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"):
        formatted = subprocess.run(
            [ruff, "format", "--check", "--no-cache", "app"],
            cwd=made.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert formatted.returncode == 0, formatted.stdout


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
