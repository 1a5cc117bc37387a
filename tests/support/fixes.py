"""Applies one fix."""

from __future__ import annotations

from plugport.lint_rules import Fix
from plugport.lint_rules.engine.text_edits import apply_fixes


def fixed_text(text: str, fix: Fix | None) -> str | None:
    """Return the text with the fix, which must leave Python; None if there is no fix."""
    if fix is None:
        return None
    changed, count = apply_fixes(text, [fix])
    compile(changed, "a.py", "exec")
    assert count == 1
    return changed
