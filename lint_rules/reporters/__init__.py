"""What a report looks like, a module a form. Only the one that is asked for is imported."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

from . import json as json

if TYPE_CHECKING:
    from ..engine.lint import Report
    from .paths import Shown

FORMATS = ("text", "json", "sarif", "github")


class _Reporter(Protocol):
    def render(self, report: Report, shown: Shown) -> str: ...


def render(name: str, report: Report, shown: Shown) -> str:
    """The report in the form of that name, one of `FORMATS`."""
    module = importlib.import_module(f"{__name__}.{name}")
    return cast("_Reporter", module).render(report, shown)
