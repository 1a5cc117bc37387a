"""Trees of plugins for tests: written as a mapping of paths to texts, read by the formats."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from plugport.builtin_backends.formats import agent_plugins, apm, claude, codex, gemini, plugport, qwen, skills
from plugport.core.dispatcher import FORMATS
from plugport.hookspecs import Contents, PluginTree

PROVIDERS = {
    module.provider.format: module.provider
    for module in (plugport, claude, codex, gemini, qwen, agent_plugins, apm, skills)
}
Files = Mapping[str, str | bytes]


def make_tree(folder: Path, files: Files) -> PluginTree:
    """Write the files below the folder and return the tree of them."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return PluginTree({path: folder / path for path in files})


def read_with(format_name: str, folder: Path, files: Files) -> Contents | None:
    """Return what one format reads from the files."""
    return PROVIDERS[format_name].read_plugin(make_tree(folder, files))


def read_first(folder: Path, files: Files) -> Contents:
    """Return what the first format that answers reads from the files."""
    tree = make_tree(folder, files)
    contents = (PROVIDERS[name].read_plugin(tree) for name in FORMATS)
    return next(each for each in contents if each is not None)


def shown(contents: Contents) -> list[str]:
    """Return the components but the assets, as `<kind> <name> <path>`, sorted."""
    return sorted(f"{each.kind} {each.name} {each.path}" for each in contents.components if each.kind != "asset")


def rules(contents: Contents) -> list[str]:
    """Return the findings as `<rule> <path>:<line>:<column>`, in their order."""
    return [f"{each.rule} {each.path}:{each.line}:{each.column}" for each in contents.findings]


def skill(name: str, description: str = "Use it in tests.") -> str:
    """Return a `SKILL.md`."""
    return f"---\nname: {name}\ndescription: {description}\n---\n\nText.\n"
