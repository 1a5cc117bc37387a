"""Reads a tree whose root is a marketplace: the plugins of its entries that lie in the tree."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...hookspecs import JSON, Component, ComponentKind, Severity
from .claude_manifest import check_dependencies, check_manifest
from .custom_paths import resolve
from .fields import Fields, read_fields, value_at
from .marks import CLAUDE, ROOT_MANIFEST
from .plugin_parts import CLAUDE_WAYS, PART_FIELDS, Declared, add_parts
from .tree_reader import Document, Reading, clean


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry whose plugin lies in the tree's folder `folder`; `keys` are those of the entry."""

    index: int
    fields: Fields
    folder: str
    strict: bool

    @property
    def keys(self) -> tuple[str | int, ...]:
        return ("plugins", self.index)


def add_marketplace(reading: Reading, marketplace: Document, manifest: Document | None, fields: Fields) -> Fields:
    """Add the parts of the marketplace's plugins and return the fields of the whole.

    `manifest` is the `plugin.json` at the root, with its fields. If there is one, it is the plugin: an entry with the
    source `./` completes it, and the others are other plugins. Without one, every entry in the tree belongs to it.
    """
    _check(reading, marketplace)
    entries = _entries(reading, marketplace)
    _note_cycles(reading, marketplace)
    if manifest is not None:
        own = [entry for entry in entries if entry.folder == reading.folder]
        _add_entry(reading, marketplace, own, manifest)
        others = [entry for entry in entries if entry not in own]
        if others:
            message = f"the marketplace has {len(others)} other plugins in this tree: they are not part of this one"
            reading.note(
                "marketplace-others", Severity.NOTE, marketplace.path, message, marketplace.place(("plugins",))
            )
        return _completed(fields, [entry.fields for entry in own])
    read: list[Fields] = []
    if not entries:
        add_parts(reading, [], CLAUDE_WAYS)
    for folder in dict.fromkeys(entry.folder for entry in entries):
        of_folder = [entry for entry in entries if entry.folder == folder]
        inside = reading.inside(folder)
        first = len(reading.components)
        document = _manifest_of(inside) if folder != reading.folder else None
        _add_entry(inside, marketplace, of_folder, document)
        _separate(reading, first, of_folder[0].fields.name)
        own_fields = read_fields(inside, document) if document is not None else Fields()
        read += [_completed(own_fields, [entry.fields]) for entry in of_folder]
    return _whole(reading, marketplace, read)


def _check(reading: Reading, marketplace: Document) -> None:
    """Note what Claude Code demands of a marketplace as a whole."""
    name, owner = marketplace.value.get("name"), value_at(marketplace.value, ("owner", "name"))
    if not isinstance(name, str) or not name or any(letter.isspace() for letter in name):
        message = "the marketplace must have a `name` without spaces: Claude Code refuses it"
        reading.error("marketplace-name", marketplace.path, message, marketplace.place(("name",)))
    if not isinstance(owner, str) or not owner:
        message = "the marketplace must have an `owner` with a `name`: Claude Code refuses it"
        reading.error("marketplace-owner", marketplace.path, message, marketplace.place(("owner",)))


def _entries(reading: Reading, marketplace: Document) -> list[_Entry]:
    plugins = marketplace.value.get("plugins")
    if not isinstance(plugins, list):
        what = "has no list `plugins`" if plugins is None else "has `plugins` that is no list"
        reading.error(
            "marketplace-plugins", marketplace.path, f"the marketplace {what}", marketplace.place(("plugins",))
        )
        return []
    entries, elsewhere = [], []
    for index, entry in enumerate(plugins):
        keys = ("plugins", index)
        if not isinstance(entry, Mapping):
            reading.error(
                "wrong-type",
                marketplace.path,
                "a plugin of the marketplace must be an object",
                marketplace.place(keys),
            )
            continue
        fields = read_fields(reading, marketplace, keys)
        if fields.name is None:
            reading.error(
                "name-missing",
                marketplace.path,
                "this plugin of the marketplace has no `name`",
                marketplace.place(keys),
            )
        folder = _folder(reading, marketplace, keys, entry.get("source"))
        if folder is None:
            elsewhere.append(fields.name or f"number {index + 1}")
        else:
            entries.append(_Entry(index, fields, folder, entry.get("strict") is not False))
    if elsewhere:
        shown = ", ".join(elsewhere[:5]) + (", …" if len(elsewhere) > 5 else "")
        message = f"{len(elsewhere)} plugins of the marketplace do not lie in this tree: {shown}"
        reading.note(
            "marketplace-elsewhere", Severity.NOTE, marketplace.path, message, marketplace.place(("plugins",))
        )
    return entries


def _folder(reading: Reading, marketplace: Document, keys: tuple[str | int, ...], source: JSON) -> str | None:
    if isinstance(source, str):
        root = value_at(marketplace.value, ("metadata", "pluginRoot"))
        dotted = source if source.startswith(".") or not isinstance(root, str) else posixpath.join(root, source)
        path = resolve(reading, marketplace, dotted, (*keys, "source"))
        if path is not None and reading.has(path):
            message = "`source` must be a folder"
            reading.error("path-missing", marketplace.path, message, marketplace.place((*keys, "source")))
            return None
        return path
    if not isinstance(source, Mapping):
        message = "this plugin of the marketplace must have a `source`: a path that begins with `./`, or an object"
        reading.error("marketplace-source", marketplace.path, message, marketplace.place(keys))
    return None


def _manifest_of(inside: Reading) -> Document | None:
    for own in (CLAUDE, ROOT_MANIFEST):
        if inside.has(inside.at(own)):
            document = inside.json(inside.at(own))
            if document is not None and own == CLAUDE:
                check_manifest(inside, document)
            return document
    return None


def _add_entry(inside: Reading, marketplace: Document, entries: list[_Entry], manifest: Document | None) -> None:
    """Add the parts of the plugin in one folder: its manifest's, and those that the entries bring."""
    declared = [Declared(manifest)] if manifest is not None else []
    bringing = [entry for entry in entries if any(_has(marketplace, entry, field) for field in PART_FIELDS)]
    for entry in bringing:
        if not entry.strict and manifest is not None and any(field in manifest.value for field in PART_FIELDS):
            message = (
                "`strict` is false, and both the entry and plugin.json name parts: Claude Code refuses the plugin"
            )
            inside.error("marketplace-strict", marketplace.path, message, marketplace.place((*entry.keys, "strict")))
    declared += [Declared(marketplace, entry.keys) for entry in bringing]
    # An entry that is the whole manifest and names its skills means these: several share the folder `skills`.
    alone = bool(bringing) and manifest is None and all(not entry.strict for entry in bringing)
    add_parts(inside, declared, CLAUDE_WAYS, defaults=not alone)
    for entry in entries:
        value = value_at(marketplace.value, (*entry.keys, "dependencies"))
        check_dependencies(inside, marketplace, (*entry.keys, "dependencies"), value, entry.fields.name)


def _has(marketplace: Document, entry: _Entry, field: str) -> bool:
    return value_at(marketplace.value, (*entry.keys, field)) is not None


def _separate(reading: Reading, first: int, plugin: str | None) -> None:
    """Give the components from `first` on other names where an earlier plugin of the tree has the same."""
    taken = {(component.kind, component.name) for component in reading.components[:first]}
    for index in range(first, len(reading.components)):
        component = reading.components[index]
        if component.kind is not ComponentKind.ASSET and (component.kind, component.name) in taken and plugin:
            reading.components[index] = _renamed(component, clean(plugin))


def _renamed(component: Component, plugin: str) -> Component:
    return replace(component, name=f"{plugin}-{component.name}"[:200])


def _completed(fields: Fields, others: list[Fields]) -> Fields:
    """Return the fields, and where one is missing that of the first of the others that has it."""
    for other in others:
        fields = Fields(
            fields.name or other.name,
            fields.version or other.version,
            fields.description or other.description,
            fields.author or other.author,
            fields.licence or other.licence,
        )
    return fields


def _whole(reading: Reading, marketplace: Document, plugins: list[Fields]) -> Fields:
    """Return the fields of a tree with these plugins: the only plugin's, or the marketplace's own."""
    own = read_fields(reading, marketplace)
    if len(plugins) == 1:
        return _completed(plugins[0], [own])
    metadata = read_fields(reading, marketplace, ("metadata",))
    owner = value_at(marketplace.value, ("owner", "name"))
    shared = {plugin.version for plugin in plugins}
    version = own.version or metadata.version or (shared.pop() if len(shared) == 1 else None)
    author = own.author or (owner if isinstance(owner, str) else None)
    names = ", ".join(plugin.name for plugin in plugins if plugin.name)
    description = own.description or metadata.description or (f"Plugins: {names}" if names else None)
    return Fields(own.name, version, description, author, own.licence or metadata.licence)


def _note_cycles(reading: Reading, marketplace: Document) -> None:
    """Note plugins of the marketplace that depend on each other in a circle."""
    graph: dict[str, list[str]] = {}
    plugins = marketplace.value.get("plugins")
    for entry in plugins if isinstance(plugins, list) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
            dependencies = entry.get("dependencies")
            items = dependencies if isinstance(dependencies, list) else []
            names = [item.get("name") if isinstance(item, Mapping) else item for item in items]
            graph[str(entry["name"])] = [name.partition("@")[0] for name in names if isinstance(name, str)]
    finished: set[str] = set()
    for name in graph:
        if (circle := _circle(graph, name, finished)) is not None:
            message = f"the plugins depend on each other in a circle: {' → '.join(circle)}"
            reading.error("dependency-cycle", marketplace.path, message, marketplace.place(("plugins",)))


def _circle(graph: Mapping[str, list[str]], start: str, finished: set[str]) -> list[str] | None:
    """Return a circle that can be reached from `start`, None if there is none. Visits no finished plugin again."""
    way: list[str] = []
    on_way: set[str] = set()
    pending: list[tuple[str, bool]] = [(start, False)]
    while pending:
        name, is_left = pending.pop()
        if is_left:
            on_way.discard(way.pop())
            finished.add(name)
        elif name in on_way:
            if way[-1] != name:  # a plugin that depends on itself is noted where it says so
                finished.update(way)
                return [*way[way.index(name) :], name]
        elif name not in finished and name in graph:
            way.append(name)
            on_way.add(name)
            pending.append((name, True))
            pending += [(other, False) for other in graph[name]]
    return None
