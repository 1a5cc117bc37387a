"""Recognises the `plugin.yaml` of other tools."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...hookspecs import JSON, PluginTree

_REGISTER = re.compile(rb"^[^#\n]*\b(?:def|import)\b[^#\n]*\bregister\b", re.MULTILINE)
_HELM = (
    "usage",
    "command",
    "platformCommand",
    "platformHooks",
    "downloaders",
    "ignoreFlags",
    "useTunnel",
    "runtimeConfig",
)


def foreign_tool(tree: PluginTree, manifest: Mapping[str, JSON]) -> str | None:
    """Return the tool whose `plugin.yaml` this is, None if it may be plugport's own."""
    if any(key in manifest for key in _HELM) or {"apiVersion", "runtime"} <= manifest.keys():
        return "Helm"
    if "__init__.py" in tree and "skills" not in manifest:
        try:
            content = tree.read("__init__.py", 256 * 1024)
        except OSError:
            return None
        if _REGISTER.search(content):
            return "Hermes"
    return None
