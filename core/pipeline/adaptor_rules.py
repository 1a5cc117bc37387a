"""What the layout `adaptor` takes for rules, though the plugin does not mean it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...hookspecs.values import ComponentKind, ContentFinding, Contents, Severity
from .footprint import fragments_among

ADAPTOR: Final = "adaptor"
"""The layout of a workspace that names none: the runtime's own adaptor looks into `plugins/<name>`."""


def adaptor_findings(contents: Contents | None, paths: Iterable[str]) -> list[ContentFinding]:
    """Return a warning for each file that the adaptor appends to the agent's memory and that is no rule of the
    plugin: documents for contributors, mostly. `paths` are those of all files."""
    rules = {rule.path for rule in contents.of_kind(ComponentKind.RULE)} if contents else set()
    message = "the adaptor appends this file to the agent's memory: it takes it for a rule"
    return [
        ContentFinding("adaptor-rule", Severity.WARNING, path, message)
        for path in fragments_among(paths)
        if path not in rules
    ]
