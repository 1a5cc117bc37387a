"""Removes a plugin's entries from an agent's `settings.json`, and leaves what somebody edited."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from typing import Any

from ...hookspecs.values import JSON, Cleaned

_PLACEHOLDER = "${CLAUDE_DIR}"


def remove_entries(text: str, claude_dir: str, own: Sequence[JSON], others: Sequence[JSON]) -> Cleaned:
    """Remove the entries that still equal what one of the fragments `own` added.

    An entry stays if one of `others`, the fragments of the other installed plugins, adds it too. `claude_dir`
    replaces `${CLAUDE_DIR}`. Pure; a text that is not valid JSON, or has no such entry, is returned unchanged.
    """
    try:
        settings = json.loads(text)
    except ValueError:
        return Cleaned(text, ("it is not valid JSON",) if own else ())
    if not isinstance(settings, dict):
        return Cleaned(text, ("it is not a JSON object",) if own else ())
    cleaned, left = copy.deepcopy(settings), []
    kept = [_fill_in(fragment, claude_dir) for fragment in others if isinstance(fragment, dict)]
    for fragment in (_fill_in(fragment, claude_dir) for fragment in own if isinstance(fragment, dict)):
        for key, added in fragment.items():
            shared = [other[key] for other in kept if key in other]
            left += _remove_key(cleaned, settings, key, added, shared)
    if cleaned == settings:
        return Cleaned(text, tuple(dict.fromkeys(left)))
    if not cleaned:
        return Cleaned(None, tuple(dict.fromkeys(left)))
    return Cleaned(_format_like(text, cleaned), tuple(dict.fromkeys(left)))


def _remove_key(
    cleaned: dict[str, Any], before: dict[str, Any], key: str, added: Any, shared: list[Any]
) -> list[str]:
    """Remove from `cleaned` what a fragment added under one key. Return the names of the entries that were edited.

    `before` are the settings before any removal, `shared` is what other plugins' fragments add under the key.
    """
    if key not in before:
        return []
    if before[key] == added and not shared:
        cleaned.pop(key, None)
        return []
    if key == "hooks" and isinstance(added, dict) and isinstance(before[key], dict):
        others = [value for value in shared if isinstance(value, dict)]
        left = [name for event in added for name in _remove_hooks(cleaned, before, event, added[event], others)]
    elif isinstance(added, dict) and isinstance(before[key], dict):
        kept = {name for value in shared if isinstance(value, dict) for name in value}
        left = []
        for name, value in added.items():
            if name in kept or name not in before[key]:
                continue
            if before[key][name] == value:
                cleaned.get(key, {}).pop(name, None)
            else:
                left.append(f"{key}.{name}")
    else:  # an adaptor sets a plain value only if it is absent: another value is somebody else's
        if before[key] == added and added not in shared:
            cleaned.pop(key, None)
        return []
    if cleaned.get(key) == {} and before[key] != {}:
        del cleaned[key]
    return left


def _remove_hooks(
    cleaned: dict[str, Any], before: dict[str, Any], event: str, added: Any, shared: list[dict[str, Any]]
) -> list[str]:
    """Remove the hooks that a fragment added for one event. Return the event's name for each that was edited."""
    present = before["hooks"].get(event)
    if not isinstance(present, list) or not isinstance(added, list):
        return []
    kept = [hook for other in shared if isinstance(other.get(event), list) for hook in other[event]]
    ours = [hook for hook in added if not any(_same_hook(hook, other) for other in kept)]
    rest = [hook for hook in cleaned.get("hooks", {}).get(event, []) if hook not in ours]
    if event in cleaned.get("hooks", {}):
        if rest:
            cleaned["hooks"][event] = rest
        else:
            del cleaned["hooks"][event]
    return [
        f"hooks.{event}" for hook in ours if hook not in present and any(_same_hook(hook, other) for other in rest)
    ]


def _same_hook(hook: Any, other: Any) -> bool:
    """Compare two hooks as the adaptor does: by matcher and commands."""
    return bool(_identity(hook) == _identity(other))


def _identity(hook: Any) -> Any:
    if not isinstance(hook, dict):
        return hook
    actions = hook.get("hooks")
    commands = [item.get("command") if isinstance(item, dict) else item for item in actions] if actions else actions
    return hook.get("matcher"), commands


def _fill_in(value: Any, claude_dir: str) -> Any:
    """Replace the placeholder in every text of the value."""
    if isinstance(value, str):
        return value.replace(_PLACEHOLDER, claude_dir)
    if isinstance(value, dict):
        return {key: _fill_in(item, claude_dir) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fill_in(item, claude_dir) for item in value]
    return value


def _format_like(text: str, settings: dict[str, Any]) -> str:
    """Format the settings with the indent and the last newline of the old text."""
    indent = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    width = indent.group(1) if indent else None
    formatted = json.dumps(settings, indent=width or (2 if "\n" in text.strip() else None), ensure_ascii=False)
    return formatted + ("\n" if text.endswith("\n") else "")
