"""The verdicts that the kit must give: for each mutant, the test that must fail it."""

from __future__ import annotations

LONGEST_BLOCK, BLOCK_SECONDS = 0.6, 0.8
"""Seconds for which the kit lets a provider block the loop here, and for which some mutants block it."""
CANCELLED_SECONDS = 2.0
"""Seconds in which a cancelled call must end here."""

MUTANTS: dict[type, str] = {}


def must_fail(test: str):
    """Note that the kit's test of this name must fail the decorated provider."""

    def note(kind: type) -> type:
        MUTANTS[kind] = test
        return kind

    return note
