"""For tests of a rule, of whichever package: its VALID and INVALID examples, and what the gates find in one."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from .engine.contract import Example, Finding
from .engine.installed_rules import load_registry
from .engine.lint import Request, lint


def examples(code: str, kind: Literal["VALID", "INVALID"]) -> Sequence[Example]:
    """The examples of the installed rule `code`. Raises `LookupError` where no such rule is installed, and whatever
    importing it raises."""
    rule = load_registry().rules.get(code)
    if rule is None:
        raise LookupError(f"no rule {code} is installed: is the package, with its entry point in plugport.lint?")
    _, module = rule.load()
    given = getattr(module, kind)
    return [one if isinstance(one, Example) else Example(textwrap.dedent(one)) for one in given]


def findings(code: str, example: Example, folder: Path) -> Sequence[Finding]:
    """Write the example's project into `folder`, an empty one, and lint it by this rule alone: what is found in the
    example itself. Raises `RuntimeError` where the rule crashes. An example with a `config` needs tomli-w."""
    files = {**example.files, example.path: example.code, "pyproject.toml": _toml(example)}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    report = lint(Request(cache=False, select=(code,), working_directory=folder))
    if report.failed:
        raise RuntimeError(f"{report.crashes} {report.problems}")
    return [finding for finding in report.findings if finding.path == example.path]


def _toml(example: Example) -> str:
    if not example.config:
        return "[tool.plugport.lint]\n"
    import tomli_w

    text: str = tomli_w.dumps({"tool": {"plugport": {"lint": dict(example.config)}}})
    return text
