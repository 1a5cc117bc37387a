"""Renders a report, with a module for each format. Only the requested one is imported."""

from __future__ import annotations

import importlib

from ..engine.lint import Report
from .paths import DisplayPaths

FORMATS = ("text", "json", "sarif", "github")


def render(name: str, report: Report, display: DisplayPaths) -> str:
    """Return the report in the format of that name, one of `FORMATS`."""
    return str(importlib.import_module(f"{__name__}.{name}").render(report, display))
