"""Takes a plugin's entries out of an agent's `settings.json`, and leaves what somebody edited."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from typing import Any

from ...hookspecs.values import JSON, Cleaned

_PLACE = "${CLAUDE_DIR}"


def without_entries(text: str, claude_dir: str, own: Sequence[JSON], others: Sequence[JSON]) -> Cleaned:
    """The settings without the entries that still equal what one of the fragments `own` brought.

    What one of `others`, the fragments of other installed plugins, brings too stays. `claude_dir` takes the place
    of `${CLAUDE_DIR}`. Pure; what cannot be read stays as it is, and so does a text without such an entry.
    """
    try:
        settings = json.loads(text)
    except ValueError:
        return Cleaned(text, ("it is not valid JSON",) if own else ())
    if not isinstance(settings, dict):
        return Cleaned(text, ("it is not a JSON object",) if own else ())
    cleaned, left = copy.deepcopy(settings), []
    kept = [_placed(one, claude_dir) for one in others if isinstance(one, dict)]
    for fragment in (_placed(one, claude_dir) for one in own if isinstance(one, dict)):
        for key, brought in fragment.items():
            elsewhere = [one[key] for one in kept if key in one]
            left += _take(cleaned, settings, key, brought, elsewhere)
    if cleaned == settings:
        return Cleaned(text, tuple(dict.fromkeys(left)))
    if not cleaned:
        return Cleaned(None, tuple(dict.fromkeys(left)))
    return Cleaned(_written_like(text, cleaned), tuple(dict.fromkeys(left)))


def _take(cleaned: dict[str, Any], before: dict[str, Any], key: str, brought: Any, elsewhere: list[Any]) -> list[str]:
    """Take what a fragment brought under one key out of `cleaned`; what was edited, by name."""
    if key not in before:
        return []
    if before[key] == brought and not elsewhere:
        cleaned.pop(key, None)
        return []
    if key == "hooks" and isinstance(brought, dict) and isinstance(before[key], dict):
        others = [one for one in elsewhere if isinstance(one, dict)]
        left = [name for event in brought for name in _take_handlers(cleaned, before, event, brought[event], others)]
    elif isinstance(brought, dict) and isinstance(before[key], dict):
        kept = [one for one in elsewhere if isinstance(one, dict)]
        left = []
        for name, value in brought.items():
            if any(name in one for one in kept) or name not in before[key]:
                continue
            if before[key][name] == value:
                cleaned.get(key, {}).pop(name, None)
            else:
                left.append(f"{key}.{name}")
    elif brought in elsewhere:
        return []
    elif before[key] == brought:
        cleaned.pop(key, None)
        return []
    else:
        return []  # only set where it was absent: another value was there before, or is somebody's since
    if cleaned.get(key) == {} and before[key] != {}:
        del cleaned[key]
    return left


def _take_handlers(
    cleaned: dict[str, Any], before: dict[str, Any], event: str, brought: Any, elsewhere: list[dict[str, Any]]
) -> list[str]:
    found = before["hooks"].get(event)
    if not isinstance(found, list) or not isinstance(brought, list):
        return []
    shared = [handler for one in elsewhere if isinstance(one.get(event), list) for handler in one[event]]
    ours = [handler for handler in brought if not any(_same(handler, one) for one in shared)]
    rest = [handler for handler in cleaned.get("hooks", {}).get(event, []) if handler not in ours]
    if event in cleaned.get("hooks", {}):
        if rest:
            cleaned["hooks"][event] = rest
        else:
            del cleaned["hooks"][event]
    return [f"hooks.{event}" for handler in ours if handler not in found and any(_same(handler, one) for one in rest)]


def _same(one: Any, other: Any) -> bool:
    """The adaptor's own rule: the same matcher and the same commands."""
    return bool(_identity(one) == _identity(other))


def _identity(handler: Any) -> Any:
    if not isinstance(handler, dict):
        return handler
    hooks = handler.get("hooks")
    commands = [one.get("command") if isinstance(one, dict) else one for one in hooks] if hooks else hooks
    return handler.get("matcher"), commands


def _placed(value: Any, claude_dir: str) -> Any:
    if isinstance(value, str):
        return value.replace(_PLACE, claude_dir)
    if isinstance(value, dict):
        return {key: _placed(one, claude_dir) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_placed(one, claude_dir) for one in value]
    return value


def _written_like(text: str, settings: dict[str, Any]) -> str:
    """The settings in the old text's way: its indent, its last newline."""
    indent = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    width = indent.group(1) if indent else None
    written = json.dumps(settings, indent=width or (2 if "\n" in text.strip() else None), ensure_ascii=False)
    return written + ("\n" if text.endswith("\n") else "")
