"""Renders a report, with a module for each format. Only the requested one is imported."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from ..engine.lint import Report
    from .paths import DisplayPaths

FORMATS = ("text", "json", "sarif", "github")


class _Reporter(Protocol):
    def render(self, report: Report, display: DisplayPaths) -> str: ...


def render(name: str, report: Report, display: DisplayPaths) -> str:
    """Return the report in the format of that name, one of `FORMATS`."""
    module = importlib.import_module(f"{__name__}.{name}")
    return cast("_Reporter", module).render(report, display)
