"""The gates. A rule's author imports everything from here: what a rule receives, what it reports, what it raises.

This module names the built-in rules and imports none of them, so that a run whose results are all cached stays fast.
"""

from __future__ import annotations

from ..hookspecs import RuleDescriptor, hookimpl
from .engine.contract import JSON, Example, Finding, Rule, SourceFile, Span, Summaries, TraceStep
from .engine.errors import ConfigurationError, Unparsable
from .engine.mutant import Edit, Mutant, edited, indent_of

__all__ = [
    "JSON",
    "ConfigurationError",
    "Edit",
    "Example",
    "Finding",
    "Mutant",
    "Rule",
    "SourceFile",
    "Span",
    "Summaries",
    "TraceStep",
    "Unparsable",
    "edited",
    "indent_of",
    "lint_rules",
]


@hookimpl
def lint_rules() -> list[RuleDescriptor]:
    """Return the built-in rules, through the hook that every package with rules implements."""
    return [
        RuleDescriptor("PP001", "3", "plugport.lint_rules.rules.only_caller:OnlyCaller"),
        RuleDescriptor("PP002", "4", "plugport.lint_rules.rules.raw_error:RawErrorInResponse"),
        RuleDescriptor("PP003", "2", "plugport.lint_rules.rules.hook_mismatch:HookMismatch"),
        RuleDescriptor("PP004", "3", "plugport.lint_rules.rules.blocking_call:BlockingCall"),
    ]
