"""A plugin's `settings-fragment.json`, entry by entry, and what an agent's settings held before it came."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ...hookspecs.json import JSON
from .json_spans import JsonInvalid, depth, parse, value_of

EntryPath: TypeAlias = tuple[str, ...]
"""Where an entry stands: `(key,)`, `(key, name)`, or `("hooks", event, identity)` for a handler."""

MAX_DEPTH: Final = 100
"""A fragment that is nested deeper is not remembered: no agent's settings are."""

_PLACEHOLDER: Final = "${CLAUDE_DIR}"


@dataclass(frozen=True, slots=True)
class SettingsBefore:
    """What the settings held before a plugin came, as far as its fragment touches them.

    `existed`: whether the file was there. `kept`: paths of entries, and of the containers around them, that were
    there and that plugport had not brought. `overwritten`: the bytes of the values that the fragment replaces.
    """

    existed: bool
    kept: frozenset[EntryPath] = frozenset()
    overwritten: Mapping[EntryPath, bytes] = field(default_factory=dict)

    def to_json(self) -> JSON:
        """As the store keeps it."""
        return {
            "existed": self.existed,
            "kept": sorted(list(path) for path in self.kept),
            "overwritten": [
                [list(path), base64.b64encode(text).decode("ascii")]
                for path, text in sorted(self.overwritten.items())
            ],
        }

    @classmethod
    def from_json(cls, stored: JSON) -> SettingsBefore | None:
        """What `to_json` gave; None if it is something else, as in rows of the first release."""
        if not isinstance(stored, Mapping):
            return None
        record: Mapping[str, Any] = stored
        try:
            return cls(
                bool(record["existed"]),
                frozenset(tuple(path) for path in record["kept"]),
                {tuple(path): base64.b64decode(text) for path, text in record["overwritten"]},
            )
        except (KeyError, TypeError, ValueError, binascii.Error):
            return None


@dataclass(frozen=True, slots=True)
class Brought:
    """A fragment that a version of a plugin brings, and what was there before it (None: nobody looked)."""

    fragment: Mapping[str, JSON]
    before: SettingsBefore | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What the adaptor merges as one: a handler of an event, an entry of an object, or a plain key."""

    path: EntryPath
    value: JSON


def parse_fragment(content: bytes) -> Mapping[str, JSON] | None:
    """A plugin's `settings-fragment.json`; None if it is no JSON object or is nested deeper than `MAX_DEPTH`."""
    try:
        root = parse(content).root
    except JsonInvalid:
        return None
    if root.kind != "object" or depth(root) > MAX_DEPTH:
        return None
    value = value_of(root)
    return value if isinstance(value, dict) and _is_writable(value) else None


def entries_of(fragment: Mapping[str, JSON], claude_dir: str) -> list[Entry]:
    """The entries of a fragment, with `claude_dir` in the place of `${CLAUDE_DIR}`."""
    entries: list[Entry] = []
    for key, value in _placed(fragment, claude_dir).items():
        if key == "hooks" and isinstance(value, dict):
            for event, handlers in value.items():
                if isinstance(handlers, list):
                    entries += (Entry((key, event, identity_of(handler)), handler) for handler in handlers)
        elif isinstance(value, dict):
            entries += (Entry((key, name), entry) for name, entry in value.items())
        else:
            entries.append(Entry((key,), value))
    return entries


def containers_of(fragment: Mapping[str, JSON]) -> Iterable[EntryPath]:
    """The paths of the objects and lists that the adaptor makes for a fragment's entries, the outermost first."""
    for key, value in fragment.items():
        if isinstance(value, Mapping):
            yield (key,)
            if key == "hooks":
                yield from ((key, event) for event, handlers in value.items() if isinstance(handlers, list | tuple))


def identity_of(handler: JSON) -> str:
    """The adaptor's own rule: handlers of the same matcher and the same commands are one."""
    if not isinstance(handler, Mapping):
        return json.dumps(handler, sort_keys=True)
    hooks = handler.get("hooks")
    listed = hooks if isinstance(hooks, list | tuple) else []
    commands = [hook.get("command") if isinstance(hook, Mapping) else hook for hook in listed]
    return json.dumps([handler.get("matcher"), commands], sort_keys=True)


def _is_writable(value: JSON) -> bool:
    """Whether the store can keep the value: JSON has no infinity, and UTF-8 no lone surrogate."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return False
    return True


def _placed(value: Any, claude_dir: str) -> Any:
    if isinstance(value, str):
        return value.replace(_PLACEHOLDER, claude_dir)
    if isinstance(value, Mapping):
        return {key: _placed(item, claude_dir) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_placed(item, claude_dir) for item in value]
    return value


def without_same(fragment: Mapping[str, JSON], current: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the fragment without the entries that `current` brings with the same value."""
    current_values: dict[EntryPath, list[JSON]] = {}
    for entry in entries_of(current, _PLACEHOLDER):
        current_values.setdefault(entry.path, []).append(entry.value)

    def is_same(path: EntryPath, value: JSON) -> bool:
        return value in current_values.get(path, ())

    rest: dict[str, JSON] = {}
    for key, value in fragment.items():
        if key == "hooks" and isinstance(value, Mapping):
            events = {
                event: [handler for handler in handlers if not is_same((key, event, identity_of(handler)), handler)]
                for event, handlers in value.items()
                if isinstance(handlers, list | tuple)
            }
            changed: JSON = {event: handlers for event, handlers in events.items() if handlers}
        elif isinstance(value, Mapping):
            changed = {name: entry for name, entry in value.items() if not is_same((key, name), entry)}
        else:
            changed = {} if is_same((key,), value) else value
        if changed != {}:
            rest[key] = changed
    return rest
