"""A format in plain Python that keeps every promise: `good.txt` has the name, then a skill on each line."""

from __future__ import annotations

from plugport.hookspecs import (
    Component,
    ComponentKind,
    ContentFinding,
    Contents,
    PluginTree,
    Severity,
    hookimpl,
)

MANIFEST = "good.txt"


class GoodFormat:
    """Reads `good.txt`."""

    format = "good"

    @hookimpl
    def read_plugin(self, tree: PluginTree) -> Contents | None:
        if MANIFEST not in tree:
            return None
        text = self.text(tree)
        if text is None:
            finding = ContentFinding("good-text", Severity.ERROR, MANIFEST, "the file is not plain UTF-8", 1, 1)
            return Contents(self.format, findings=(finding,))
        return self.contents(text.splitlines()[:100])

    def text(self, tree: PluginTree) -> str | None:
        try:
            text = tree.read(MANIFEST, 65536).decode()
        except (OSError, UnicodeDecodeError):
            return None
        return None if "\0" in text else text

    def contents(self, lines: list[str]) -> Contents:
        skills = tuple(Component(ComponentKind.SKILL, name, MANIFEST) for name in lines[1:])
        return Contents(self.format, lines[0] if lines else None, components=skills)
