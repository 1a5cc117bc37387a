"""Runs rules of the first release's shape, `Rule`, which are no `LintRule`. It goes with version 0.3."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

from .contract import JSON, Finding, Rule, SourceFile, Summaries
from .installed_rules import InstalledRule
from .lint_rule import LintRule

_OWN = "plugport.lint_rules."


def made(installed: InstalledRule, table: Mapping[str, JSON]) -> tuple[LintRule, str | None]:
    """Make the rule, and say in one sentence what its author must change (None: nothing). Raises what importing and
    making it raises."""
    kind, _ = installed.load()
    if isinstance(kind, type) and issubclass(kind, LintRule):
        return kind(table), None
    adapted = AdaptedRule(kind(table))
    if installed.target.startswith(_OWN):
        return adapted, None
    note = (
        f"{installed.code} of {installed.origin} is a rule of the old shape, which version 0.3 does not run: "
        f"make {installed.target} a plugport.lint_rules.LintRule"
    )
    warnings.warn(note, DeprecationWarning, stacklevel=2)
    return adapted, note


class AdaptedRule(LintRule):
    """Hands each call of the engine on to a rule of the old shape, which finds by itself."""

    def __init__(self, rule: Rule) -> None:
        super().__init__({})
        self._rule = rule

    def wants(self, data: bytes) -> bool:
        """Ask the rule."""
        return self._rule.wants(data)

    def summarise(self, file: SourceFile) -> JSON:
        """Ask the rule."""
        return self._rule.summarise(file)

    def link(self, summaries: Mapping[str, JSON]) -> JSON:
        """Ask the rule."""
        return self._rule.link(summaries)

    def check(self, file: SourceFile, linked: JSON, summaries: Summaries) -> Iterable[Finding]:
        """Return what the rule finds."""
        return self._rule.check(file, linked, summaries)
