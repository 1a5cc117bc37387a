"""What the documentation says is true of the code."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

from plugport.hookspecs import specs
from plugport.hookspecs.providers import specifications

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))


def _reference(name="reference"):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tests/project/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["docs/providers/hooks.md", "docs/errors.md", "docs/api.md"])
def test_a_reference_page_is_what_the_code_says(name):
    written = (ROOT / name).read_text("utf-8")
    assert written == _reference().PAGES[name](), "run: python tests/project/reference.py"


@pytest.mark.parametrize("name", sorted(_reference("runtime_pages").PAGES))
def test_a_runtimes_page_is_what_the_tables_and_the_runs_say(name):
    written = (ROOT / name).read_text("utf-8")
    assert written == _reference("runtime_pages").PAGES[name](), "run: python tests/project/runtime_pages.py"


@pytest.mark.parametrize("name", sorted(_reference("gate_pages").PAGES))
def test_a_rules_page_is_what_the_rule_says(name):
    written = (ROOT / name).read_text("utf-8")
    assert written == _reference("gate_pages").PAGES[name](), "run: python tests/project/gate_pages.py"
    for part in ("## Why", "## Bad", "## Good", "## How to fix it", "## When to suppress it"):
        assert f"\n{part}\n\n" in written


@pytest.mark.parametrize("hook", sorted(specifications()))
def test_each_hooks_exact_signature_is_documented(hook):
    signature = str(inspect.signature(getattr(specs, hook))).replace("'", "")
    assert f"`{hook}{signature}`" in (ROOT / "docs/providers/hooks.md").read_text("utf-8")


def test_the_readme_has_its_two_commands():
    readme = (ROOT / "README.md").read_text("utf-8")
    for heading in ("## Run it", "## Test it"):
        section = readme.split(heading, 1)[1].split("\n## ", 1)[0]
        blocks = re.findall(r"^```\w*\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
        assert len(blocks) == 1
        assert len(blocks[0].splitlines()) == 1


@pytest.mark.parametrize("hook", sorted(specs.MAY_RAISE))
def test_each_hooks_errors_are_documented(hook):
    """By name, or by the name of the hook that may raise the same."""
    text = inspect.getdoc(getattr(specs, hook))
    for other in re.findall(r"what `(\w+)` may", text):
        text += inspect.getdoc(getattr(specs, other))
    named = set(re.findall(r"`([A-Z]\w+)`", text))
    assert {kind.__name__ for kind in specs.MAY_RAISE[hook]} <= named


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md", *(f"docs/decisions/{name}" for name in DECISIONS)])
def test_each_path_that_a_page_names_exists(page):
    """A path in capitals, as `core/api/RESOURCE.py`, stands for one that the reader makes."""
    named = re.findall(r"`([\w.-]+/[\w./-]*)`", (ROOT / page).read_text("utf-8"))
    ours = [path for path in named if (ROOT / path.partition("/")[0]).is_dir() and not re.search("[A-Z]{4}", path)]
    assert [path for path in ours if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_has_the_form_of_all(name):
    lines = (ROOT / "docs/decisions" / name).read_text("utf-8").splitlines()
    assert re.fullmatch(rf"# {name[:4]}: [A-Z`p].*[^.]", lines[0])
    assert lines[2].startswith("Status: ")
    assert [line for line in lines if line.startswith("## ")] == ["## Context", "## Decision", "## Consequences"]
    assert len(lines) <= 60
