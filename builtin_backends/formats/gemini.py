"""The format `gemini`: extensions of Gemini CLI, with `gemini-extension.json`."""

from __future__ import annotations

from typing import Final

from ...hookspecs import Contents, PluginTree, hookimpl
from .extension import Extension, read_extension
from .hook_files import GEMINI_EVENTS
from .marks import GEMINI

EXTENSION: Final = Extension("gemini", "Gemini CLI", GEMINI, "GEMINI.md", GEMINI_EVENTS, (".toml",))


class GeminiFormat:
    """Reads extensions of Gemini CLI."""

    format = "gemini"

    @hookimpl
    def read_plugin(self, tree: PluginTree) -> Contents | None:
        """Return what the extension has, None if the tree is none."""
        return read_extension(tree, EXTENSION)


provider = GeminiFormat()
