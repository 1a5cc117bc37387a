"""`--explain RULE`: shows what the rule's own module says, and makes the rule's page of it."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..engine.contract import Example
from ..engine.errors import UsageError
from ..engine.installed_rules import InstalledRules, load_rules
from ..reporters.addresses import page_of
from ..reporters.engine_rules import ENGINE_RULES

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say of a rule. `origin` is empty for the engine's own codes, `page` an address or None; the
    advice of another package's rule may be empty."""

    code: str
    message: str
    reason: str
    origin: str
    bad: Sequence[str]
    good: Sequence[str]
    how_to_fix: str
    when_to_suppress: str
    page: str | None

    def as_text(self) -> str:
        """Return it for a terminal."""
        parts = [f"{self.code}: {self.message}", _filled(self.reason)]
        parts += [f"from {self.origin}"] if self.origin else []
        parts += [_section("This is a finding:", textwrap.indent(example, "    ")) for example in self.bad]
        parts += [_section("This is not:", textwrap.indent(example, "    ")) for example in self.good]
        parts += [_section(title, _filled(text)) for title, text in self._advice() if text]
        parts += [f"The page: docs/gates/{self.code}.md, {self.page}"] if self.page else []
        return "\n\n".join(parts)

    def as_page(self) -> str:
        """Return it in Markdown."""
        parts = [f"# {self.code}: {self.message}", "## Why", _filled(self.reason)]
        parts += ["## Bad", *map(_fence, self.bad), "## Good", *map(_fence, self.good)]
        for title, text in self._advice():
            parts += [f"## {title.rstrip(':')}", _filled(text)]
        return "\n\n".join(parts) + "\n"

    def _advice(self) -> list[tuple[str, str]]:
        return [("How to fix it:", self.how_to_fix), ("When to suppress it:", self.when_to_suppress)]


def explain(code: str) -> Explanation:
    """Return what the rule's module says. The code may be in small letters. Raises `UsageError` for a code that no
    rule has, and for a rule that cannot be loaded."""
    code = code.upper()
    if code in ENGINE_RULES:
        rule = ENGINE_RULES[code]
        texts = code, rule.message, rule.reason, ""
        advice = (rule.how_to_fix, rule.when_to_suppress)
        return Explanation(*texts, [rule.bad], [rule.good], *advice, page_of(code))
    return _explained(code, load_rules())


def _explained(code: str, installed: InstalledRules) -> Explanation:
    known = sorted([*installed.rules, *ENGINE_RULES])
    rule = installed.rules.get(code)
    if rule is None:
        near = difflib.get_close_matches(code, known, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"--explain {code}: there is no such rule; there are {', '.join(known)}{meant}")
    try:
        message, reason, invalid, valid = map(rule.stated, ("message", "reason", "INVALID", "VALID"))
        how_to_fix, when_to_suppress = (str(rule.stated(name, "")) for name in ("how_to_fix", "when_to_suppress"))
    except Exception as error:
        raise UsageError(f"--explain {code}: {rule.target} cannot be loaded: {error}") from error
    origin = f"{rule.origin}, {rule.target.partition(':')[0]}"
    return Explanation(
        code,
        str(message),
        str(reason),
        origin,
        _codes(invalid),
        _codes(valid),
        how_to_fix,
        when_to_suppress,
        page_of(code, rule.target),
    )


def _codes(examples: Iterable[Example | str]) -> list[str]:
    codes = (example if isinstance(example, str) else example.code for example in examples)
    return [textwrap.dedent(code).strip() for code in codes]


def _filled(text: str) -> str:
    return "\n\n".join(textwrap.fill(paragraph, _WIDTH) for paragraph in text.strip().split("\n\n"))


def _section(title: str, text: str) -> str:
    return f"{title}\n\n{text}"


def _fence(code: str) -> str:
    return f"```python\n{code}\n```"
