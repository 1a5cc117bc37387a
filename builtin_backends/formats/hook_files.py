"""Reads hooks: handlers by event and matcher, in `hooks.json` or in a manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ...hookspecs import JSON, Component, ComponentKind
from .fields import value_at
from .json_document import Keys
from .root_variables import from_tree, missing_files, own_files
from .skill_files import add_assets
from .tree_reader import Document, Reading, clean

CLAUDE_EVENTS: Final = frozenset(
    {
        *("PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "Notification", "UserPromptSubmit"),
        *("UserPromptExpansion", "SessionStart", "SessionEnd", "Stop", "StopFailure", "SubagentStart"),
        *("SubagentStop", "PreCompact", "PostCompact", "PermissionRequest", "PermissionDenied", "Setup"),
        *("TeammateIdle", "TaskCreated", "TaskCompleted", "Elicitation", "ElicitationResult", "ConfigChange"),
        *("WorktreeCreate", "WorktreeRemove", "InstructionsLoaded", "CwdChanged", "FileChanged", "MessageDisplay"),
    }
)
"""Claude Code 2.1.197."""
CODEX_EVENTS: Final = frozenset(
    {
        *("PreToolUse", "PostToolUse", "SessionStart", "SessionEnd", "UserPromptSubmit", "Stop", "SubagentStart"),
        *("SubagentStop", "PreCompact", "PostCompact", "PermissionRequest"),
    }
)
"""Codex 0.171.0."""
GEMINI_EVENTS: Final = frozenset(
    {
        *("SessionStart", "SessionEnd", "BeforeAgent", "AfterAgent", "BeforeModel", "AfterModel"),
        *("BeforeToolSelection", "BeforeTool", "AfterTool", "PreCompress", "Notification"),
    }
)
"""Gemini CLI 0.61.0."""
QWEN_EVENTS: Final = frozenset(
    {
        *("PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "Notification", "UserPromptSubmit"),
        *("UserPromptExpansion", "SessionStart", "SessionEnd", "SessionDelete", "Stop", "StopFailure"),
        *("SubagentStart", "SubagentStop", "PreCompact", "PostCompact", "PermissionRequest", "PermissionDenied"),
        *("TodoCreated", "TodoCompleted", "InstructionsLoaded", "MessageDisplay"),
    }
)
"""Qwen Code 0.24.4."""
EVERY_EVENT: Final = CLAUDE_EVENTS | CODEX_EVENTS | GEMINI_EVENTS | QWEN_EVENTS
_TYPES: Final = frozenset({"command", "prompt", "http", "agent", "mcp_tool"})


def add_hooks_of_file(reading: Reading, path: str, events: frozenset[str] = CLAUDE_EVENTS) -> None:
    """Add the hooks of a file, which stand under the key `hooks`, or are the whole object."""
    document = reading.json(path) if reading.unvisited(ComponentKind.HOOK, [path]) else None
    if document is None:
        return
    if "hooks" in document.value:
        add_hooks(reading, document, ("hooks",), events)
    elif EVERY_EVENT.intersection(document.value):
        reading.warn("hooks-key", path, "the events must stand under the key `hooks`", document.place())
        add_hooks(reading, document, (), events)
    else:
        reading.error("hooks-key", path, "the file has no key `hooks`", document.place())


def add_hooks(reading: Reading, document: Document, keys: Keys, events: frozenset[str] = CLAUDE_EVENTS) -> None:
    """Add the hooks of the object under `keys`; an event that is none of `events` is noted."""
    by_event = value_at(document.value, keys)
    if not isinstance(by_event, Mapping):
        reading.error("wrong-type", document.path, "`hooks` must be an object of events", document.place(keys))
        return
    names: Counter[str] = Counter()
    for event, groups in by_event.items():
        place = document.place((*keys, event))
        if not keys and event in {"description", "$schema"}:
            continue
        if event not in events:
            _note_event(reading, document, event, place)
        if event not in EVERY_EVENT:
            continue
        if not isinstance(groups, list):
            reading.error("wrong-type", document.path, f"the hooks of {event} must be a list", place)
            continue
        reader = _EventReader(reading, document, event, names)
        for index, group in enumerate(groups):
            reader.add_group((*keys, event, index), group)


def _note_event(reading: Reading, document: Document, event: str, place: tuple[int, int]) -> None:
    if event in EVERY_EVENT:
        message = f"the event {event} is another agent's: agents of this format ignore it or refuse the file"
        reading.warn("hook-event-foreign", document.path, message, place)
        return
    nearest = next((known for known in sorted(EVERY_EVENT) if known.lower() == event.lower()), None)
    meant = f" (it is {nearest})" if nearest else ""
    message = f"there is no event {event[:60]!r}{meant}: Claude Code refuses the whole plugin for it"
    reading.error("hook-event", document.path, message, place)


@dataclass(frozen=True, slots=True)
class _EventReader:
    """Reads the hooks of one event. `names` counts how often a name was used in this file."""

    reading: Reading
    document: Document
    event: str
    names: Counter[str]

    def add_group(self, keys: Keys, group: JSON) -> None:
        """Add the handlers of one matcher."""
        if not isinstance(group, Mapping):
            self._error("wrong-type", keys, f"each hook of {self.event} must be an object")
            return
        matcher = group.get("matcher")
        if matcher is not None and not isinstance(matcher, str):
            self._error("wrong-type", (*keys, "matcher"), "`matcher` must be a text")
            matcher = None
        handlers = group.get("hooks")
        if not isinstance(handlers, list):
            what = "must have a list `hooks` of handlers" if handlers is None else "has `hooks` that is no list"
            self._error("hook-handlers", (*keys, "hooks"), f"this hook of {self.event} {what}")
            return
        for index, handler in enumerate(handlers):
            at = (*keys, "hooks", index)
            if not isinstance(handler, Mapping):
                self._error("wrong-type", at, f"each handler of {self.event} must be an object")
            elif (kind := self._kind(at, handler)) is not None:
                self._add(at, matcher, kind, handler)

    def _kind(self, keys: Keys, handler: Mapping[str, JSON]) -> str | None:
        """Return the handler's type, None if it cannot be used."""
        kind, command = handler.get("type"), handler.get("command")
        if kind is None:
            self._error("hook-type", keys, f"this handler of {self.event} has no `type`")
            kind = "command" if isinstance(command, str) else None
        elif not isinstance(kind, str) or kind not in _TYPES:
            self._error("hook-type", (*keys, "type"), f"this handler of {self.event} has an unknown `type`")
            return None
        if kind == "command" and not (isinstance(command, str) and command.strip()):
            self._error("hook-command", (*keys, "command"), f"this handler of {self.event} has no text `command`")
            return None
        return kind if isinstance(kind, str) else None

    def _add(self, keys: Keys, matcher: str | None, kind: str, handler: Mapping[str, JSON]) -> None:
        timeout, ignored = handler.get("timeout"), {"event", "matcher"}
        if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float)):
            self._error("wrong-type", (*keys, "timeout"), "`timeout` must be a number")
            ignored.add("timeout")
        entry = from_tree(self.reading, {key: value for key, value in handler.items() if key not in ignored})
        data = {"event": self.event, **({} if matcher is None else {"matcher": matcher}), **entry, "type": kind}
        runs = (str(data["command"]),) if kind == "command" else ()
        for missing in (path for run in runs for path in missing_files(self.reading, run)):
            message = f"this handler of {self.event} runs {missing}, and the plugin has no such file"
            self.reading.warn("hook-command-missing", self.document.path, message, self._place((*keys, "command")))
        name = clean(f"{self.event}:{matcher}" if matcher else self.event)[:180]
        self.names[name] += 1
        shown = name if self.names[name] == 1 else f"{name}#{self.names[name]}"
        self.reading.add(Component(ComponentKind.HOOK, shown, self.document.path, None, runs, data))
        add_assets(self.reading, own_files(self.reading, data))

    def _error(self, rule: str, keys: Keys, message: str) -> None:
        self.reading.error(rule, self.document.path, message, self._place(keys))

    def _place(self, keys: Keys) -> tuple[int, int]:
        return self.document.place(keys)
