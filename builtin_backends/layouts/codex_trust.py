"""Computes what Codex writes into `config.toml` when a person trusts a plugin's hooks.

For each hook that is a hash of its definition and a hash of the plugin's files, under a key that says where the hook
stands. All of it was seen in Codex 0.171.0 (`hooks/list` of `codex app-server`); tests/runtimes asks the program
itself whether it trusts the hooks then.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ...hookspecs import JSON
from ...hookspecs.values import BundleFile
from .draft import Draft
from .tables import CODEX

_MANIFEST: Final = ".codex-plugin/plugin.json"
_DEFAULT: Final = "hooks/hooks.json"
_VERSION: Final = b"codex-plugin-bundle-v1"
_SECONDS: Final = 600
_AT_THE_END: Final = "SessionEnd"
_SECONDS_AT_THE_END: Final = (1, 3)
"""The timeout of a hook at a session's end: what it is if the hook has none, and the most that Codex allows."""

_NO_MATCHER: Final = frozenset({"UserPromptSubmit", "Stop"})
"""The events whose matcher Codex drops."""


class TrustUnknown(Exception):
    """Raised when Codex might compute another hash than this module: a hook is written in a way that was not seen."""


def hook_trust(draft: Draft) -> dict[str, dict[str, JSON]]:
    """Return what stands below `hooks.state` for each hook of the plugin, by the hook's key there.

    Reads every file of the plugin. Raises `TrustUnknown`.
    """
    if not draft.target.files:
        raise TrustUnknown("the plugin's files are not known")
    bundle = _bundle_hash(draft)
    trust: dict[str, dict[str, JSON]] = {}
    for place, document in _documents(draft):
        for event, group_index, index, definition in _definitions(document):
            text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            key = f"{draft.name}@plugport:{place}:{_label(event)}:{group_index}:{index}"
            own = f"sha256:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"
            trust[key] = {"trusted_hash": own, "trusted_content_hash": bundle}
    return trust


def _bundle_hash(draft: Draft) -> str:
    """Return the hash of the plugin's directory as it is delivered: names and bytes, but no modes."""
    files: dict[str, BundleFile | bytes] = {**draft.tree, **{file.path: file for file in draft.target.files}}
    parts = {tuple(path.encode("utf-8", "surrogateescape").split(b"/")): file for path, file in files.items()}
    whole = hashlib.sha256(_VERSION)
    whole.update(_framed(b"") + b"directory")
    folders: set[tuple[bytes, ...]] = set()
    for names in sorted(parts):
        kept = next((depth for depth, name in enumerate(names) if _is_passed_over(name)), len(names))
        for depth in range(1, min(kept, len(names) - 1) + 1):
            if names[:depth] not in folders:
                folders.add(names[:depth])
                whole.update(_framed(b"/".join(names[:depth])) + b"directory")
        if kept == len(names):
            file = parts[names]
            size = len(file) if isinstance(file, bytes) else file.size
            whole.update(_framed(b"/".join(names)) + b"file" + size.to_bytes(8, "little"))
            for chunk in [file] if isinstance(file, bytes) else draft.target.chunks(file.path):
                whole.update(chunk)
    return f"sha256:{whole.hexdigest()}"


def _is_passed_over(name: bytes) -> bool:
    return name == b"__pycache__" or name.endswith(b".pyc")


def _framed(path: bytes) -> bytes:
    return len(path).to_bytes(8, "little") + path


def _documents(draft: Draft) -> Iterator[tuple[str, Any]]:
    """Yield what stands before a hook's position in its key, and the JSON that has the hooks."""
    named = _json(draft, _MANIFEST).get("hooks")
    inline = [named] if isinstance(named, Mapping) else named
    if isinstance(inline, list) and inline and all(isinstance(each, Mapping) for each in inline):
        yield from ((f"plugin.json#hooks[{number}]", each) for number, each in enumerate(inline))
        return
    paths = [named] if isinstance(named, str) else named or []
    if not isinstance(paths, list) or not all(isinstance(path, str) and _is_plain(path) for path in paths):
        raise TrustUnknown("the manifest names its hooks in a way that was not seen")
    for path in [path.removeprefix("./") for path in paths] or [_DEFAULT]:
        yield path, _json(draft, path)


def _is_plain(path: str) -> bool:
    return path.startswith("./") and not {"", ".", ".."} & set(path[2:].split("/"))


def _json(draft: Draft, path: str) -> Any:
    content = draft.tree.get(path) or draft.read(path)
    try:
        document = json.loads(content or b"")
    except (ValueError, RecursionError) as error:
        raise TrustUnknown(f"{path} cannot be read") from error
    if not isinstance(document, dict):
        raise TrustUnknown(f"{path} is no object")
    return document


def _definitions(document: Mapping[str, Any]) -> Iterator[tuple[str, int, int, dict[str, JSON]]]:
    """Yield each hook that runs a command: its event, its group's and its own number, and its normal form."""
    events = document.get("hooks")
    if not isinstance(events, Mapping):
        raise TrustUnknown("the hooks are no object")
    for event in (event for event in events if event in CODEX.events.values()):
        for group_index, group in enumerate(_objects(events[event])):
            matcher = group.get("matcher")
            if matcher is not None and not isinstance(matcher, str):
                raise TrustUnknown("a matcher is no text")
            shown = {} if matcher is None or event in _NO_MATCHER else {"matcher": matcher}
            for index, handler in enumerate(_objects(group.get("hooks"))):
                normal = _normal(event, handler)
                if normal is not None:
                    yield event, group_index, index, {"event_name": _label(event), **shown, "hooks": [normal]}


def _objects(value: object) -> Iterable[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise TrustUnknown("a list of hooks is none")
    return value


def _normal(event: str, handler: Mapping[str, Any]) -> dict[str, JSON] | None:
    """Return the normal form of a hook, None if Codex does not run it."""
    if handler.get("type") in {"prompt", "agent"}:
        return None
    command, timeout, status = handler.get("command"), handler.get("timeout"), handler.get("statusMessage")
    runs_async = handler.get("async", False)
    if (
        handler.get("type") != "command"
        or "additionalContextLimit" in handler
        or not isinstance(command, str)
        or not isinstance(runs_async, bool)
        or not isinstance(timeout, int | None)
        or isinstance(timeout, bool)
        or (timeout or 0) < 0
        or not isinstance(status, str | None)
    ):
        raise TrustUnknown("a hook is written in a way that was not seen")
    if not command.strip():
        return None
    shown = {} if status is None else {"statusMessage": status}
    return {"async": runs_async, "command": command, "timeout": _seconds(event, timeout), "type": "command", **shown}


def _seconds(event: str, timeout: int | None) -> int:
    default, most = (_SECONDS, None) if event != _AT_THE_END else _SECONDS_AT_THE_END
    seconds = max(1, default if timeout is None else timeout)
    return seconds if most is None else min(seconds, most)


def _label(event: str) -> str:
    """Return an event as a key names it: `pre_tool_use` for `PreToolUse`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower()
