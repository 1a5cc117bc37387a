"""docs/gates.md is followed from its first block to its last, as a reader would."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

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


def test_the_pages_ci_steps_are_steps():
    (steps,) = (yaml.safe_load(text) for kind, text in BLOCK.findall(PAGE.read_text("utf-8")) if kind == "yaml")
    assert [set(step) for step in steps] == [{"run"}] * 3


def test_the_pages_rule_is_found_and_its_examples_hold(project, tmp_path):
    blocks = {text.partition("\n")[0]: text for _, text in BLOCK.findall(PAGE.read_text("utf-8"))}
    package = tomllib.loads(blocks["# house-rules/pyproject.toml"])["project"]
    info = tmp_path / f"site/{package['name'].replace('-', '_')}-{package['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package['name']}\nVersion: {package['version']}\n")
    points = "".join(f"{name} = {target}\n" for name, target in package["entry-points"]["plugport.lint"].items())
    (info / "entry_points.txt").write_text(f"[plugport.lint]\n{points}")
    (tmp_path / "site/house_rules.py").write_text(blocks["# house-rules/house_rules.py"])
    made = project(
        {
            "pyproject.toml": "[tool.plugport.lint]\n",
            "bad.py": "log.info(f'found {name}')\n",
            "good.py": "log.info('found %s', name)\n",
        }
    )
    done = made.json(environment={"PYTHONPATH": str(tmp_path / "site")})
    assert done.places == [("HR001", "bad.py", 1)], done.stderr
