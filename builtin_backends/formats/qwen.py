"""The format `qwen`: extensions of Qwen Code, with `qwen-extension.json`."""

from __future__ import annotations

from typing import Final

from ...hookspecs import Contents, PluginTree, hookimpl
from .extension import Extension, read_extension
from .hook_files import QWEN_EVENTS
from .marks import QWEN

EXTENSION: Final = Extension("qwen", "Qwen Code", QWEN, "QWEN.md", QWEN_EVENTS, (".md", ".toml"))


class QwenFormat:
    """Reads extensions of Qwen Code."""

    format = "qwen"

    @hookimpl
    def read_plugin(self, tree: PluginTree) -> Contents | None:
        """Return what the extension has, None if the tree is none."""
        return read_extension(tree, EXTENSION)


provider = QwenFormat()
