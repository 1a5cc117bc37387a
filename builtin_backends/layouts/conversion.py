"""Turns a plugin's parts into the shapes of other runtimes: texts, front matter, TOML, hooks and MCP servers."""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ...hookspecs import JSON, Component, Contents
from .runtime import Runtime
from .tables import CANONICAL_EVENTS, CANONICAL_TOOLS, MILLISECOND_FORMATS

ROOT: Final = re.compile(
    r"\$\{(?:CLAUDE_PLUGIN_ROOT|PLUGIN_ROOT|CODEX_PLUGIN_ROOT|extensionPath)\}|\$(?:CLAUDE_PLUGIN_ROOT|PLUGIN_ROOT)\b"
)
"""How the plugin's own directory is written in the formats."""

_ADAPTOR_FOLDER: Final = re.compile(r"\$\{CLAUDE_DIR\}(?=/(?:hooks|commands)/)|\$CLAUDE_DIR(?=/(?:hooks|commands)/)")
"""The folder to which the seed's adaptor copies `hooks/` and `commands/`, as a settings fragment writes it."""

_WORD: Final = re.compile(r"\b[A-Za-z_]+\b")
_FRONT_MATTER: Final = re.compile(r"---[ \t]*\r?\n(?:.*?\r?\n)??---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


def text_of(content: bytes) -> str:
    """Return a file's text without a byte order mark; bytes that are not UTF-8 are replaced."""
    return content.decode("utf-8-sig", "replace")


def body_of(content: bytes) -> str:
    """Return a Markdown file's text after its front matter."""
    text = text_of(content)
    match = _FRONT_MATTER.match(text)
    return (text[match.end() :] if match else text).strip() + "\n"


def markdown(fields: Mapping[str, JSON], body: str) -> bytes:
    """Return a Markdown file with a front matter. Its values are written as JSON, which is YAML, too."""
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in fields.items()]
    return f"---\n{''.join(lines)}---\n{body}".encode("utf-8", "replace")


def toml(fields: Mapping[str, str]) -> bytes:
    """Return a TOML file of strings. What JSON escapes in a string, TOML reads in the same way."""
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n".replace("\x7f", "\\u007f")
        for key, value in fields.items()
    ]
    return "".join(lines).encode("utf-8", "replace")


def json_file(value: JSON) -> bytes:
    """Return a JSON file: two spaces, a line feed at its end."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def with_root(value: JSON, root: str) -> JSON:
    """Return a value in whose texts the plugin's directory is written as `root`."""
    if isinstance(value, str):
        return _ADAPTOR_FOLDER.sub(lambda _: root, ROOT.sub(lambda _: root, value)).replace("${/}", "/")
    if isinstance(value, Mapping):
        return {key: with_root(inner, root) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [with_root(inner, root) for inner in value]
    return value


def command_prompt(command: Component, content: bytes) -> tuple[str, str]:
    """Return a command's description and its prompt, with Claude Code's placeholders. Reads Markdown and TOML.

    Raises `ValueError` for a TOML file that cannot be read.
    """
    description, written = command.description or "", command.data.get("content")
    if isinstance(written, str):  # it stands in the manifest
        return description, written
    if not command.path.endswith(".toml"):
        return description, body_of(content)
    fields = tomllib.loads(text_of(content))
    prompt = str(fields.get("prompt", "")).replace("{{args}}", "$ARGUMENTS")
    prompt = re.sub(r"!\{([^{}]*)\}", r"!`\1`", prompt)
    return description or str(fields.get("description", "")), re.sub(r"@\{([^{}]*)\}", r"@\1", prompt)


def gemini_prompt(prompt: str) -> str:
    """Return a command's prompt with the placeholders of Gemini CLI."""
    shell = re.sub(r"!`([^`\n]*)`", r"!{\1}", prompt)
    return shell.replace("$ARGUMENTS", "{{args}}")


def hook_groups(contents: Contents, hooks: Iterable[Component], runtime: Runtime, root: str) -> dict[str, list[JSON]]:
    """Return the hooks as Claude Code writes them, by the runtime's own events: lists of matchers and handlers.

    A hook of an event that the runtime does not have is left out.
    """
    groups: dict[str, list[JSON]] = {}
    handlers: dict[tuple[str, str | None], list[JSON]] = {}
    for hook in hooks:
        event = runtime.events.get(canonical_event(hook) or "")
        if event is None:
            continue
        matcher = matcher_of(hook, runtime.tools)
        group = handlers.get((event, matcher))
        if group is None:
            group = handlers[event, matcher] = []
            groups.setdefault(event, []).append({**({} if matcher is None else {"matcher": matcher}), "hooks": group})
        group.append(_handler(contents, hook, runtime, root))
    return groups


def root_variables(hook: Component) -> set[str]:
    """Return the variables by which a hook's command names the plugin's directory, without their braces."""
    return {match[0].strip("${}") for match in ROOT.finditer(str(hook.data.get("command", "")))}


def canonical_event(hook: Component) -> str | None:
    """Return the event of a hook by Claude Code's name, None if it has none."""
    return CANONICAL_EVENTS.get(str(hook.data.get("event", "")))


def matcher_of(hook: Component, tools: Mapping[str, str]) -> str | None:
    """Return a hook's matcher, in which the names of tools are those of `tools`; None if it has none."""
    matcher = hook.data.get("matcher")
    if not isinstance(matcher, str):
        return None
    return _WORD.sub(lambda match: tool_name(match[0], tools), matcher)


def tool_name(name: str, tools: Mapping[str, str]) -> str:
    """Return what a tool is called in a runtime whose names `tools` has. `name` may be of any runtime."""
    canonical = CANONICAL_TOOLS.get(name, name)
    return tools.get(canonical, canonical)


def timeout_of(contents: Contents, hook: Component) -> float | None:
    """Return a hook's timeout in seconds, None if it has none. Gemini CLI and Qwen Code write milliseconds."""
    timeout = hook.data.get("timeout")
    if not isinstance(timeout, int | float) or isinstance(timeout, bool):
        return None
    return timeout / 1000 if contents.format in MILLISECOND_FORMATS else timeout


def _handler(contents: Contents, hook: Component, runtime: Runtime, root: str) -> JSON:
    """Return what one hook runs, as Claude Code writes it. Everything in its declaration but the event stays."""
    kept = {key: value for key, value in hook.data.items() if key not in {"event", "matcher"} and value is not None}
    handler: dict[str, JSON] = {"type": "command", **{key: with_root(value, root) for key, value in kept.items()}}
    seconds = timeout_of(contents, hook)
    if seconds is not None:
        handler["timeout"] = round(seconds * 1000) if runtime.milliseconds else max(1, round(seconds))
    return handler


def server_entry(server: Component, root: str, has: Callable[[str], bool] = lambda _: False) -> dict[str, JSON]:
    """Return an MCP server's entry with the plugin's directory written as `root`.

    A relative command or argument that is a file of the plugin, as `has` says, becomes a path below `root`, and so
    does a relative `cwd`.
    """
    entry = {key: with_root(value, root) for key, value in server.data.items() if value is not None}
    command, arguments = entry.get("command"), entry.get("args")
    if isinstance(command, str):
        entry["command"] = _absolute(command, root, has)
    if isinstance(arguments, list):
        entry["args"] = [_absolute(each, root, has) if isinstance(each, str) else each for each in arguments]
    cwd = entry.get("cwd")
    if isinstance(cwd, str) and not cwd.startswith(("/", "$")):
        entry["cwd"] = posixpath.normpath(f"{root}/{cwd}")
    return entry


def without_cwd(entry: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return a server's entry that changes to its `cwd` by a shell, for a runtime that replaces no variable there."""
    kept = {key: value for key, value in entry.items() if key != "cwd"}
    command, arguments, cwd = entry.get("command"), entry.get("args"), entry.get("cwd")
    if not isinstance(command, str) or not isinstance(cwd, str):
        return kept
    words = list(arguments) if isinstance(arguments, list) else []
    return {**kept, "command": "sh", "args": ["-c", 'cd "$1" && shift && exec "$@"', "sh", cwd, command, *words]}


def _absolute(text: str, root: str, has: Callable[[str], bool]) -> str:
    path = text.removeprefix("./")
    return f"{root}/{path}" if text.startswith("./") and has(path) else text
