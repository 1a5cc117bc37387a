"""Takes a plugin's entries out of an agent's `settings.json`, byte for byte.

What was there before the plugin came stays: `observe` records it at the install, `remove_entries` respects it. An
entry that the runtime's adaptor wrote over gets its old value back. Only the removed entries' bytes change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ...hookspecs.json import JSON
from ...hookspecs.values import Edited
from .json_spans import Document, JsonInvalid, Node, depth, parse, same, value_of
from .settings_fragment import MAX_DEPTH, Brought, EntryPath, SettingsBefore, containers_of, entries_of, identity_of

_MAX_OVERWRITTEN: Final = 64 * 1024
_STARTING: Final = ("mcpServers", "hooks", "statusLine")
"""The keys below which settings start programs."""


def observe(
    content: bytes | None, fragment: Mapping[str, JSON], claude_dir: str, known: Sequence[Brought] = ()
) -> SettingsBefore:
    """What `content`, the settings now (None: no file), holds of what `fragment` will touch.

    `known` are the fragments of the plugins that are installed here, earlier versions of this one included: what
    they brought was not there before. `claude_dir` takes the place of `${CLAUDE_DIR}`. Pure; may be repeated.
    """
    if content is None:
        return SettingsBefore(existed=False)
    entries = entries_of(fragment, claude_dir)
    try:
        settings = _Settings(parse(content))
    except JsonInvalid:
        return SettingsBefore(True, frozenset([*(entry.path for entry in entries), *containers_of(fragment)]))
    brought = _brought_paths(known, claude_dir)
    containers = containers_of(fragment)
    kept = {path for path in containers if settings.at(path) is not None and path not in brought}
    overwritten: dict[EntryPath, bytes] = {}
    for entry in entries:
        node = settings.at(entry.path)
        if node is None:
            continue
        if entry.path in brought:
            inherited = [
                before.overwritten[entry.path] for before in brought[entry.path] if entry.path in before.overwritten
            ]
            if inherited:
                overwritten[entry.path] = inherited[0]
        elif len(entry.path) == 2 and not same(node, entry.value) and node.end - node.start <= _MAX_OVERWRITTEN:
            overwritten[entry.path] = content[node.start : node.end]
        else:
            kept.add(entry.path)
    made_by_plugins = bool(known) and all(
        version.before is not None and not version.before.existed for version in known
    )
    existed = not made_by_plugins or any((key.text,) not in brought for key in settings.root.keys)
    return SettingsBefore(existed, frozenset(kept), overwritten)


def remove_entries(content: bytes, own: Sequence[Brought], others: Sequence[Brought], claude_dir: str) -> Edited:
    """The settings without the entries that one of `own`, versions of a plugin, brought and nobody edited.

    What one of `others`, the fragments of the other installed plugins, brings too stays. `left` names entries that
    somebody edited, and a text that cannot be edited safely; such a text comes back whole. Pure; may be repeated.
    """
    if not own:
        return Edited(content)
    try:
        document = parse(content)
    except JsonInvalid as error:
        return Edited(content, (f"it cannot be read (line {error.line} is not valid JSON)",))
    if document.root.kind != "object":
        return Edited(content, ("it is not a JSON object",))
    return _Removal(document, own, others, claude_dir).edited()


def refers_to(content: bytes, name: str) -> bool:
    """Whether a settings text names the script `name` of its `hooks` folder, in whatever spelling of JSON."""
    strings = content.replace(b"\\/", b"/")
    try:
        document = parse(content)
    except JsonInvalid:
        pass
    else:
        strings = b"\n".join(_strings(document.root))
    encoded = re.escape(name.encode("utf-8", "surrogateescape"))
    return bool(
        re.search(rb"(?:hooks/|(?:^|[\s\"'=;|&(\\])(?:\./)?)" + encoded + rb"(?![\w.-])", strings, re.MULTILINE)
    )


def programs_in(content: bytes, plugin: str) -> list[str]:
    """Name the entries of a settings text that start something in a plugin's directory.

    An entry is a server, the handlers of an event, or the status line. Of a text that is not JSON, the whole counts.
    """
    folder = re.compile(rb"(?:^|[^\w.-])plugins/" + re.escape(plugin.encode()) + rb"(?![\w.-])", re.MULTILINE)
    try:
        root = parse(content).root
    except JsonInvalid:
        return ["the file"] if folder.search(content.replace(b"\\/", b"/")) else []
    labels: list[str] = []
    for group in _STARTING:
        node = root.get(group) if root.kind == "object" else None
        entries = [(group, node)] if node is not None else []
        if node is not None and node.kind == "object" and group != "statusLine":
            entries = [(f"{group}.{key.text}", item) for key, item in zip(node.keys, node.items, strict=True)]
        labels += [label for label, entry in entries if folder.search(b"\n".join(_strings(entry)))]
    return labels


class _Settings:
    """A text's entries by their path."""

    def __init__(self, document: Document) -> None:
        self.document, self.root = document, document.root
        self._handlers: dict[int, dict[str | None, Node]] = {}

    def at(self, path: EntryPath) -> Node | None:
        """The value at the path, as readers find it; of handlers of one identity the first."""
        node: Node | None = self.root
        for key in path[:2]:
            if node is None or node.kind != "object":
                return None
            node = node.get(key)
        if len(path) < 3 or node is None:
            return node
        return self.handlers(node).get(path[2]) if node.kind == "array" else None

    def handlers(self, event: Node) -> Mapping[str | None, Node]:
        """The handlers of an event by their identity."""
        if id(event) not in self._handlers:
            self._handlers[id(event)] = {_node_identity(item): item for item in reversed(event.items)}
        return self._handlers[id(event)]

    def repeated_key(self, path: EntryPath) -> str | None:
        """The label of a key on the way to the entry that its object has more than once."""
        for length in range(1, min(len(path), 2) + 1):
            parent = self.at(path[: length - 1])
            if parent is not None and parent.has_repeated(path[length - 1]):
                return ".".join(path[:length])
        return None


class _Removal:
    """One removal: collects what goes, container by container, and then edits the text once."""

    def __init__(
        self, document: Document, own: Sequence[Brought], others: Sequence[Brought], claude_dir: str
    ) -> None:
        self._own, self._settings = own, _Settings(document)
        self._brought = [(entries_of(brought.fragment, claude_dir), brought.before) for brought in own]
        self._earlier_states = [before for _, before in self._brought if before is not None]
        self._shared = set(_brought_paths(others, claude_dir, even_kept=True))
        self._existed = any(before.existed for before in self._earlier_states) or (
            not self._earlier_states and not document.root.items
        )
        self._removed: dict[int, tuple[Node, set[int]]] = {}
        self._replaced: list[tuple[Node, bytes]] = []
        self._left: dict[str, None] = {}

    def edited(self) -> Edited:
        """The text with all that goes taken out."""
        document, root = self._settings.document, self._settings.root
        values: dict[EntryPath, list[JSON]] = {}
        for entries, before in self._brought:
            for entry in entries:
                if (before is None or entry.path not in before.kept) and entry.path not in self._shared:
                    values.setdefault(entry.path, []).append(entry.value)
        for path, brought in values.items():
            self._take(path, brought)
        self._take_handlers({path: brought for path, brought in values.items() if len(path) == 3})
        self._drop_empty_containers()
        left = tuple(self._left)
        _, gone = self._removed.get(id(root), (root, set()))
        if len(gone) == len(root.items) and not document.comments and not self._existed:
            return Edited(None, left)
        if not self._removed and not self._replaced:
            return Edited(document.content, left)
        removed = [(node, index) for node, indexes in self._removed.values() for index in indexes]
        return Edited(document.without(removed, self._replaced), left)

    def _take(self, path: EntryPath, brought: Sequence[JSON]) -> None:
        if repeated := self._settings.repeated_key(path):
            self._left[f"{repeated} (the key is there twice)"] = None
            return
        container = self._settings.at(path[:-1])
        if len(path) == 3 or container is None or container.kind != "object":
            return
        index = container.index_of(path[-1])
        if index is None:
            return
        node = container.items[index]
        if not any(same(node, value) for value in brought):
            if len(path) == 2:  # another value of a plain key was there before, or is somebody's
                self._left[".".join(path)] = None
            return
        old = next((before.overwritten[path] for before in self._earlier_states if path in before.overwritten), None)
        if old is None:
            self._remove(container, index)
        else:
            self._replaced.append((node, _rendered(old, self._settings.document, container.keys[index].start)))

    def _take_handlers(self, values: Mapping[EntryPath, Sequence[JSON]]) -> None:
        for event_path in dict.fromkeys(path[:2] for path in values):
            event = self._settings.at(event_path)
            if event is None or event.kind != "array" or self._settings.repeated_key(event_path):
                continue
            for index, item in enumerate(event.items):
                identity = _node_identity(item)
                brought = values.get((*event_path, identity)) if identity is not None else None
                if brought is None:
                    continue
                if any(same(item, value) for value in brought):
                    self._remove(event, index)
                else:
                    self._left[".".join(event_path)] = None

    def _remove(self, container: Node, index: int) -> None:
        self._removed.setdefault(id(container), (container, set()))[1].add(index)

    def _drop_empty_containers(self) -> None:
        """Remove, innermost first, the containers that the plugin brought and that are empty now."""
        removable: dict[EntryPath, bool] = {}  # whether one that is empty without a removal here goes, too
        for brought in self._own:
            for path in containers_of(brought.fragment):
                known_or_empty = brought.before is not None or brought.fragment.get(path[0]) == {}
                removable[path] = removable.get(path, False) or known_or_empty
        kept = {path for before in self._earlier_states for path in before.kept}
        for path in sorted(removable.keys() - kept - self._shared, key=len, reverse=True):
            parent, node = self._settings.at(path[:-1]), self._settings.at(path)
            index = parent.index_of(path[-1]) if parent is not None else None
            if node is None or parent is None or index is None or not node.is_container:
                continue
            _, gone = self._removed.get(id(node), (node, set()))
            if (gone or removable[path]) and len(gone) == len(node.items) and not self._has_comments(node):
                self._removed.pop(id(node), None)
                self._remove(parent, index)

    def _has_comments(self, node: Node) -> bool:
        return any(node.start < start < node.end for start, _ in self._settings.document.comments)


def _brought_paths(
    known: Sequence[Brought], claude_dir: str, *, even_kept: bool = False
) -> dict[EntryPath, list[SettingsBefore]]:
    """The paths that plugins brought, with what was there before each of them. A path that was there before is not
    brought, unless `even_kept`."""
    paths: dict[EntryPath, list[SettingsBefore]] = {}
    for brought in known:
        before = brought.before or SettingsBefore(existed=True)
        entries = (entry.path for entry in entries_of(brought.fragment, claude_dir))
        for path in (*entries, *containers_of(brought.fragment)):
            if even_kept or path not in before.kept:
                paths.setdefault(path, []).append(before)
    return paths


def _node_identity(node: Node) -> str | None:
    """The identity of a handler in a text; None if it is nested deeper than any handler."""
    return identity_of(value_of(node)) if depth(node) <= MAX_DEPTH else None


def _strings(root: Node) -> Iterable[bytes]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += node.items
        if isinstance(node.value, str):
            yield node.value.encode("utf-8", "surrogatepass")


def _rendered(old: bytes, document: Document, key_start: int) -> bytes:
    """An old value as whoever rewrote the text would have written it: in its indentation."""
    content = document.content
    line = content.rfind(b"\n", 0, key_start) + 1
    margin = re.compile(rb"[ \t]*").match(content, line, key_start)
    if not line or margin is None or margin.end() != key_start:
        return old
    try:
        value = value_of(parse(old).root)
        first = re.search(rb"^([ \t]+)\S", content, re.MULTILINE)
        unit = first.group(1).decode("ascii") if first else "  "
        text = json.dumps(value, indent=unit, ensure_ascii=content.isascii())
    except (JsonInvalid, RecursionError):
        return old
    return text.encode("utf-8", "surrogateescape").replace(b"\n", b"\n" + margin[0])
