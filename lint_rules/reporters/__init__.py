"""Renders a report, with a module for each format. Only the requested one is imported."""

from __future__ import annotations

import importlib

from ..engine.lint import Report
from .colours import Colours
from .paths import DisplayPaths

FORMATS = ("text", "json", "sarif", "github")


def render(name: str, report: Report, display: DisplayPaths, colours: Colours | None = None) -> str:
    """Return the report in the format of that name, one of `FORMATS`; the text with colours, if some are passed."""
    module = importlib.import_module(f"{__name__}.{name}")
    return str(module.render(report, display, *([colours] if name == "text" else [])))
