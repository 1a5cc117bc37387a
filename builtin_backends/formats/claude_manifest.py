"""What Claude Code demands of a manifest's fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ...hookspecs import JSON, Severity
from .json_document import Keys
from .tree_reader import Document, Reading

KNOWN: Final = frozenset(
    {
        *("$schema", "name", "displayName", "version", "description", "author", "homepage", "repository", "license"),
        *("keywords", "skills", "commands", "agents", "hooks", "mcpServers", "lspServers", "outputStyles", "themes"),
        *("monitors", "workflows", "settings", "userConfig", "channels", "dependencies", "defaultEnabled"),
        *("experimental",),
    }
)


def check_manifest(reading: Reading, document: Document) -> None:
    """Note what Claude Code refuses or ignores in a `plugin.json`."""
    path, value = document.path, document.value
    name = value.get("name")
    if name is None:
        reading.error(
            "name-missing", path, "the manifest has no `name`: Claude Code refuses the plugin", document.place()
        )
    elif isinstance(name, str) and any(letter.isspace() for letter in name):
        reading.error(
            "name-space", path, "the name has a space: Claude Code refuses the plugin", document.place(("name",))
        )
    if isinstance(value.get("author"), str):
        message = "`author` must be an object with a `name`: Claude Code refuses the plugin"
        reading.error("wrong-type", path, message, document.place(("author",)))
    homepage = value.get("homepage")
    if homepage is not None and not (isinstance(homepage, str) and homepage.startswith(("http://", "https://"))):
        reading.error(
            "homepage",
            path,
            "`homepage` must be a URL: Claude Code refuses the plugin",
            document.place(("homepage",)),
        )
    keywords = value.get("keywords")
    if keywords is not None and not (isinstance(keywords, list) and all(isinstance(each, str) for each in keywords)):
        reading.error("wrong-type", path, "`keywords` must be a list of texts", document.place(("keywords",)))
    for key in value:
        if key not in KNOWN:
            message = f"Claude Code does not know the field {key[:60]!r}"
            reading.note("unknown-field", Severity.NOTE, path, message, document.place((key,)))
    check_dependencies(reading, document, ("dependencies",), value.get("dependencies"), name)


def check_dependencies(reading: Reading, document: Document, keys: Keys, value: JSON, name: JSON) -> None:
    """Note dependencies of a wrong type, and a plugin that depends on itself. plugport installs none of them."""
    if value is None:
        return
    place = document.place(keys)
    if isinstance(value, str) or not isinstance(value, Sequence):
        reading.error("wrong-type", document.path, "`dependencies` must be a list", place)
        return
    for index, item in enumerate(value):
        named = item.get("name") if isinstance(item, Mapping) else item
        if not isinstance(named, str):
            message = "a dependency must be a name, or an object with a `name`"
            reading.error("wrong-type", document.path, message, document.place((*keys, index)))
        elif named.partition("@")[0] == name:
            message = "the plugin depends on itself"
            reading.error("dependency-cycle", document.path, message, document.place((*keys, index)))
    if value:
        message = "plugport does not install dependencies: install them before this plugin"
        reading.note("dependencies", Severity.NOTE, document.path, message, place)
