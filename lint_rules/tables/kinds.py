"""`Kind`: a sort of value, as far as a rule must tell it from others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EVERY = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of value. `waits`: its methods that wait (`EVERY`: all but those in `quick`). `gives`: the kind of a
    method's result. `holds`: the kind of an attribute. `items`: the kind of what iteration gives. In `gives` and
    `holds` the name `*` stands for every name that is not listed; in `gives` `with_*` stands for many."""

    name: str
    waits: frozenset[str] = frozenset()
    quick: frozenset[str] = frozenset()
    gives: Mapping[str, str] = field(default_factory=dict)
    holds: Mapping[str, str] = field(default_factory=dict)
    items: str | None = None

    def blocks(self, method: str) -> bool:
        """Return whether calling the method waits. Dunder and capitalised names (boto3's `Bucket(…)`) do not."""
        if self.waits == EVERY:
            return method not in self.quick and not method.startswith("_") and not method[:1].isupper()
        return method in self.waits

    def result_of(self, method: str) -> str | None:
        """Return the kind of a method's result."""
        family = f"{method.partition('_')[0]}_*"
        return self.gives.get(method) or self.gives.get(family) or self.gives.get("*")

    def attribute(self, name: str) -> str | None:
        """Return the kind of an attribute."""
        return self.holds.get(name) or self.holds.get("*")
