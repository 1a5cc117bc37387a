"""The old name of the contract with rules. It goes in the next minor version."""

import warnings

from .contract import JSON, Example, Finding, Rule, SourceFile, Span, Summaries, TraceStep

__all__ = ["JSON", "Example", "Finding", "Rule", "SourceFile", "Span", "Summaries", "TraceStep"]

warnings.warn("plugport.lint_rules.engine.model is now plugport.lint_rules", DeprecationWarning, stacklevel=2)
