"""Checks a workspace when it is registered or changed, so that a misspelling shows at once and not at an install."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from ..hookspecs.errors import SourceUnavailable
from ..hookspecs.values import Finding, Workspace, normalise_runtime
from .catalog import read_catalog
from .dispatcher import Dispatcher
from .pipeline.manifest import runtimes_of
from .workspace_resolver import backend_of

KNOWN_RUNTIMES: Final = (
    "aider",
    "amp",
    "autogen",
    "claude-code",
    "cline",
    "codex",
    "copilot-cli",
    "crewai",
    "cursor",
    "deepagents",
    "external",
    "gemini-cli",
    "goose",
    "hermes",
    "kimi-cli",
    "langgraph",
    "openclaw",
    "opencode",
    "qwen-code",
)
"""Runtimes that are known without a plugin for them, in the spelling of `normalise_runtime`."""

_NEAREST: Final = 3
_CUTOFF: Final = 0.5


async def check_registration(workspace: Workspace, dispatcher: Dispatcher) -> Sequence[Finding]:
    """Return what makes the workspace useless: a backend that nobody serves, and what the backend finds."""
    workspace = replace(workspace, backend=backend_of(workspace))
    available = dispatcher.backends
    if workspace.backend not in available:
        guess = _guess(workspace.backend or "", available)
        return [Finding("backend", f"is a backend that a loaded provider serves: {', '.join(available)}{guess}")]
    findings = await dispatcher.check_workspace(workspace)
    layouts = sorted({"adaptor", *dispatcher.layouts})
    if workspace.layout is not None and workspace.layout not in layouts:
        what = f"is a layout that a loaded provider has: {', '.join(layouts)}{_guess(workspace.layout, layouts)}"
        return [*findings, Finding("layout", what)]
    return findings


def runtime_warnings(workspace: Workspace, catalog: Path, configured: Iterable[str]) -> list[str]:
    """Return a warning if nothing knows the workspace's runtime: no plugin of the catalog, no setting (`configured`
    are the runtimes that settings name), and not `KNOWN_RUNTIMES`. Blocking."""
    runtime = workspace.runtime_name
    if runtime is None:
        return []
    known = {*KNOWN_RUNTIMES, *map(normalise_runtime, configured)}
    if runtime in known:
        return []
    try:
        plugins = read_catalog(catalog)
    except SourceUnavailable:
        return []  # whether a plugin knows it, cannot be told
    for plugin in plugins:
        known.update(map(normalise_runtime, runtimes_of(plugin.manifest)))
        known.update(normalise_runtime(Path(adapter).stem) for adapter in plugin.adapters)
    if runtime in known:
        return []
    guess = _guess(runtime, sorted(known))
    return [f"runtime: no plugin and no setting knows the runtime {workspace.runtime}{guess}"]


def _guess(name: str, known: Sequence[str]) -> str:
    """Return a question after the nearest known names, empty if none is near."""
    nearest = get_close_matches(name, known, _NEAREST, _CUTOFF)
    return f"; did you mean {' or '.join(nearest)}?" if nearest else ""
