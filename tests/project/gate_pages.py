"""Writes the page of each rule of the gates, docs/gates/PP001.md and so on, from what the rule says.

A program: `python tests/project/gate_pages.py`. A test holds the committed pages against what it would write.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from plugport.lint_rules.command.explain import explain

ROOT = Path(__file__).resolve().parents[2]
CODES = ("PP000", "PP001", "PP002", "PP003", "PP004", "PP900")
_MADE = "<!-- written by tests/project/gate_pages.py: change the rule, then run it -->\n"
_MORE = "\n[The gates](../gates.md) say how a rule is configured, what it follows, and how good it is.\n"


def page(code: str) -> str:
    """The page of a rule."""
    return _MADE + explain(code).as_page() + _MORE


PAGES = {f"docs/gates/{code}.md": partial(page, code) for code in CODES}

if __name__ == "__main__":
    (ROOT / "docs/gates").mkdir(exist_ok=True)
    for name, write in PAGES.items():
        (ROOT / name).write_text(write(), "utf-8")
