"""plugport.lint_rules: the gates. This module names the built-in rules and imports none of them."""

from __future__ import annotations

from ..hookspecs import RuleDescriptor, hookimpl

__all__ = ["lint_rules"]


@hookimpl
def lint_rules() -> list[RuleDescriptor]:
    """The built-in rules, through the same hook as anyone's."""
    return [
        RuleDescriptor("PP001", "2", "plugport.lint_rules.only_caller:OnlyCaller"),
        RuleDescriptor("PP002", "3", "plugport.lint_rules.raw_error:RawErrorInResponse"),
        RuleDescriptor("PP003", "1", "plugport.lint_rules.hook_mismatch:HookMismatch"),
        RuleDescriptor("PP004", "2", "plugport.lint_rules.blocking_call:BlockingCall"),
    ]
