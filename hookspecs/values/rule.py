"""Lint rules, named without importing them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleDescriptor:
    """A lint rule, named without importing it: `code` (`PP001`), `version` (of its behaviour: change it and
    cached results are dropped) and `target` (`module:Class`)."""

    code: str
    version: str
    target: str
