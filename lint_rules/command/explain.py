"""`--explain RULE`: shows what the rule's own module says."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from ..engine.contract import Example
from ..engine.errors import UsageError
from ..engine.installed_rules import load_rules

ENGINE_RULES = {
    "PP000": (
        "a suppression without a reason, a malformed one, or one that suppresses nothing",
        (
            "Whoever reads `# plugport: allow[PP002]` a year later must learn why. A suppression that is no longer"
            " needed hides the next mistake on its line. Write the reason behind the brackets, or remove the"
            " suppression: --fix does."
        ),
    ),
    "PP900": (
        "a file that a rule would have to read and that cannot be parsed",
        "A gate does not pass a file that it could not read. Repair the file, or name it under `exclude`.",
    ),
}


def explain(code: str) -> str:
    """Return the rule's message, its reason, and its examples. Raises `UsageError` for a code that no rule has."""
    if code in ENGINE_RULES:
        message, reason = ENGINE_RULES[code]
        return f"{code}: {message}\n\n{textwrap.fill(reason, 100)}"
    rules = load_rules().rules
    rule = rules.get(code)
    if rule is None:
        known = ", ".join(sorted([*rules, *ENGINE_RULES]))
        raise UsageError(f"--explain {code}: there is no such rule; there are {known}")
    try:
        message, reason, invalid, valid = map(rule.stated, ("message", "reason", "INVALID", "VALID"))
    except Exception as error:
        raise UsageError(f"--explain {code}: {rule.target} cannot be loaded: {error}") from error
    parts = [
        f"{code}: {message}",
        "\n\n".join(textwrap.fill(paragraph, 100) for paragraph in str(reason).strip().split("\n\n")),
        f"from {rule.origin}, {rule.target.partition(':')[0]}",
    ]
    parts += _examples("This is a finding:", invalid)
    parts += _examples("This is not:", valid)
    return "\n\n".join(parts)


def _examples(title: str, examples: Iterable[Example | str]) -> list[str]:
    codes = (example if isinstance(example, str) else example.code for example in examples)
    return [f"{title}\n\n{textwrap.indent(textwrap.dedent(code).strip(), '    ')}" for code in codes]
