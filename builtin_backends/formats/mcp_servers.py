"""Reads MCP servers: entries by their name, in a file of their own or in a manifest."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping
from typing import Final

from ...hookspecs import JSON, Component, ComponentKind, Severity
from .fields import value_at
from .json_document import Keys
from .root_variables import from_tree, own_files
from .skill_files import add_assets
from .tree_reader import Document, Reading, clean

_WRAPPERS: Final = ("mcpServers", "mcp_servers")
_TYPES: Final = frozenset({"stdio", "http", "sse", "streamable-http", "streamable_http", "ws", "websocket"})
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_STANDARD_FOLDERS: Final = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/usr/sbin/", "/sbin/")


def add_servers_of_file(reading: Reading, path: str) -> None:
    """Add the servers of a file, with or without the wrapper `mcpServers`."""
    document = reading.json(path) if reading.unvisited(ComponentKind.MCP_SERVER, [path]) else None
    if document is None:
        return
    wrapper = next((key for key in _WRAPPERS if isinstance(document.value.get(key), Mapping)), None)
    if wrapper is None and "mcpServers" in document.value:
        reading.error("wrong-type", path, "`mcpServers` must be an object", document.place(("mcpServers",)))
        return
    add_servers(reading, document, () if wrapper is None else (wrapper,))


def add_servers(reading: Reading, document: Document, keys: Keys) -> None:
    """Add the servers of the object under `keys`."""
    servers = value_at(document.value, keys)
    if not isinstance(servers, Mapping):
        return
    for name, entry in servers.items():
        place = document.place((*keys, name))
        if not keys and name.startswith("$"):
            continue  # `$schema`, beside servers without a wrapper
        if not isinstance(entry, Mapping):
            reading.error("mcp-entry", document.path, f"the MCP server {name[:60]!r} must be an object", place)
        elif _is_usable(reading, document, (*keys, name), entry):
            if not _NAME.fullmatch(name):
                message = f"the MCP server's name {name[:60]!r} must be letters, digits, `_`, `.` and `-`, at most 64"
                reading.warn("mcp-name", document.path, message, place)
            data = from_tree(reading, entry)
            description = entry.get("description")
            shown = description if isinstance(description, str) else None
            reading.add(
                Component(ComponentKind.MCP_SERVER, clean(name)[:200], document.path, shown, _runs(data), data)
            )
            add_assets(reading, own_files(reading, data))


def _is_usable(reading: Reading, document: Document, keys: Keys, entry: Mapping[str, JSON]) -> bool:
    """Return whether the entry can be a server, and note what agents make of its fields."""
    name = str(keys[-1])[:60]
    command, url = entry.get("command"), entry.get("url", entry.get("httpUrl"))
    usable = True
    for key, kind, expected in (
        ("command", str, "a text"),
        ("url", str, "a text"),
        ("args", list, "a list of texts"),
        ("env", Mapping, "an object of texts"),
        ("headers", Mapping, "an object of texts"),
        ("cwd", str, "a text"),
    ):
        value = entry.get(key)
        if value is None:
            continue
        items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        if not isinstance(value, kind) or not all(isinstance(item, str) for item in items):
            reading.error(
                "wrong-type",
                document.path,
                f"`{key}` of the MCP server {name!r} must be {expected}",
                document.place((*keys, key)),
            )
            usable = usable and key in {"headers", "cwd"}
    if not isinstance(command, str) and not isinstance(url, str):
        reading.error(
            "mcp-entry",
            document.path,
            f"the MCP server {name!r} has neither a `command` nor a `url`",
            document.place(keys),
        )
        return False
    declared = entry.get("type")
    if declared is not None and declared not in _TYPES:
        reading.error(
            "mcp-type",
            document.path,
            f"the MCP server {name!r} has an unknown `type`",
            document.place((*keys, "type")),
        )
    if isinstance(command, str):
        _note_command(reading, document, (*keys, "command"), command, cwd=entry.get("cwd"))
    if isinstance(entry.get("cwd"), str) and not str(entry["cwd"]).startswith("$"):
        message = f"`cwd` of the MCP server {name!r}: Claude Code refuses it, and starts servers in the project"
        reading.note("mcp-cwd", Severity.NOTE, document.path, message, document.place((*keys, "cwd")))
    return usable


def _note_command(reading: Reading, document: Document, keys: Keys, command: str, cwd: JSON) -> None:
    place = document.place(keys)
    if not command.strip():
        reading.error("mcp-command-empty", document.path, "the command of an MCP server is empty", place)
    elif command.startswith(("/", "~")) or command[1:3] in {":/", ":\\"}:
        if not command.startswith(_STANDARD_FOLDERS):
            message = f"the command {command[:120]!r} is an absolute path: it may be missing on the target"
            reading.warn("mcp-command-absolute", document.path, message, place)
    elif "/" in command and not command.startswith("$"):
        own = reading.at(posixpath.normpath(command)) if ".." not in command.split("/") else ""
        if not own or not reading.has(own):
            message = f"the command {command[:120]!r} is a relative path, and the plugin has no such file"
            reading.warn("mcp-command-missing", document.path, message, place)
        elif cwd is None:
            message = f"the command {command[:120]!r} is relative, and Claude Code starts servers in the project"
            reading.warn("mcp-command-relative", document.path, message, place)


def _runs(entry: Mapping[str, JSON]) -> tuple[str, ...]:
    """Return the server's command line, as a shell would take it. Variables stay readable."""
    command, args = entry.get("command"), entry.get("args")
    if not isinstance(command, str):
        return ()
    words = [command, *(str(each) for each in args)] if isinstance(args, list) else [command]
    return (
        " ".join(
            word if word and not re.search(r"[\s\"'\\;&|<>()*?`]", word) else shlex.quote(word) for word in words
        ),
    )
