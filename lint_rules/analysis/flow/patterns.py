"""Follows what the patterns of a `match` capture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import libcst as cst

from .assignments import key_of
from .attributes import attribute_of, narrow
from .context import Environment
from .expressions import Expressions
from .module import is_error_class
from .values import ELEMENT, NOTHING, Taint, at, below, elements_of


@dataclass
class Patterns(Expressions):
    """An `Expressions` that binds what patterns capture."""

    def captured(self, pattern: cst.CSTNode, carried: Taint, names: Environment) -> Taint:
        """Bind what the pattern captures of a value. Return what the value carries if the pattern fits."""
        match pattern:
            case cst.MatchAs(pattern=inner, name=name):
                narrowed = carried if inner is None else self.captured(inner, carried, names)
                if name is not None:
                    names[name.value] = narrowed
                return narrowed
            case cst.MatchClass(cls=kind, patterns=items, kwds=keywords):
                if is_error_class(self.context.module.qualified(kind), self.context.facts.bases):
                    carried = narrow(carried, [self.error_name(kind)])
                for keyword in keywords:
                    self.captured(
                        keyword.pattern, attribute_of(carried, keyword.key.value, self.context.facts), names
                    )
                self._capture_parts(items, carried, names)
            case cst.MatchOr(patterns=patterns):
                return NOTHING.union(*(self.captured(part.pattern, carried, names) for part in patterns))
            case cst.MatchList(patterns=items) | cst.MatchTuple(patterns=items):
                self._capture_parts(items, carried, names)
            case cst.MatchMapping(elements=pairs, rest=rest):
                for pair in pairs:
                    self.captured(pair.pattern, below(carried, key_of(pair.key)), names)
                if rest is not None:
                    names[rest.value] = carried
            case cst.MatchStar(name=cst.Name(value=name)):
                names[name] = at(elements_of(carried), ELEMENT)
        return carried

    def _capture_parts(
        self, items: Iterable[cst.MatchSequenceElement | cst.MatchStar], carried: Taint, names: Environment
    ) -> None:
        for index, item in enumerate(items):
            if isinstance(item, cst.MatchStar):
                self.captured(item, carried, names)
            else:
                self.captured(item.value, below(carried, str(index)), names)
