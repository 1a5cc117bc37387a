"""The gates. A rule's author imports everything from here: what a rule receives, what it reports, what it raises.

This module names the built-in rules and imports none of them, so that a run whose results are all cached stays fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hookspecs import RuleDescriptor, hookimpl
from .engine.contract import JSON, Example, Finding, Fix, Rule, SourceFile, Span, Summaries, TextEdit, TraceStep
from .engine.errors import ConfigurationError, Unparsable
from .engine.mutant import Edit, Mutant, edited, indent_of

if TYPE_CHECKING:
    from .engine.edits import Import, import_from, import_module, insert_before, replace_node
    from .engine.lint_rule import LintRule

__all__ = [
    "JSON",
    "ConfigurationError",
    "Edit",
    "Example",
    "Finding",
    "Fix",
    "Import",
    "LintRule",
    "Mutant",
    "Rule",
    "SourceFile",
    "Span",
    "Summaries",
    "TextEdit",
    "TraceStep",
    "Unparsable",
    "edited",
    "import_from",
    "import_module",
    "indent_of",
    "insert_before",
    "lint_rules",
    "replace_node",
]


@hookimpl
def lint_rules() -> list[RuleDescriptor]:
    """Return the built-in rules, through the hook that every package with rules implements."""
    return [
        RuleDescriptor("PP001", "6", "plugport.lint_rules.rules.only_caller:OnlyCaller"),
        RuleDescriptor("PP002", "4", "plugport.lint_rules.rules.raw_error:RawErrorInResponse"),
        RuleDescriptor("PP003", "3", "plugport.lint_rules.rules.hook_mismatch:HookMismatch"),
        RuleDescriptor("PP004", "4", "plugport.lint_rules.rules.blocking_call:BlockingCall"),
    ]


def __getattr__(name: str) -> object:
    """Import what needs LibCST when a rule asks for it: a run of cached results does without."""
    if name == "LintRule":
        from .engine.lint_rule import LintRule

        return LintRule
    if name in {"Import", "import_from", "import_module", "insert_before", "replace_node"}:
        from .engine import edits

        return getattr(edits, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
