"""For the tests of a rule, of any package: its VALID and INVALID examples, and what the gates find in one."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from .engine.contract import Example, Finding
from .engine.installed_rules import load_rules
from .engine.lint import Request, lint


def examples(code: str, kind: Literal["VALID", "INVALID"]) -> Sequence[Example]:
    """Return the examples of the installed rule `code`. Raises `LookupError` if no such rule is installed, and
    whatever importing it raises."""
    rule = load_rules().rules.get(code)
    if rule is None:
        raise LookupError(f"no rule {code} is installed: is the package, with its entry point in plugport.lint?")
    return [
        example if isinstance(example, Example) else Example(textwrap.dedent(example))
        for example in rule.stated(kind)
    ]


def findings(code: str, example: Example, folder: Path) -> Sequence[Finding]:
    """Write the example's project into the empty `folder`, lint it by this rule alone, and return what is found in
    the example itself. Raises `RuntimeError` if the rule crashes."""
    files = {**example.files, example.path: example.code, "pyproject.toml": _toml(example)}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    report = lint(Request(cache=False, select=(code,), working_directory=folder))
    if report.failures:
        raise RuntimeError("; ".join(failure.message for failure in report.failures))
    return [finding for finding in report.findings if finding.path == example.path]


def _toml(example: Example) -> str:
    if not example.config:
        return "[tool.plugport.lint]\n"
    import tomli_w

    text: str = tomli_w.dumps({"tool": {"plugport": {"lint": dict(example.config)}}})
    return text
