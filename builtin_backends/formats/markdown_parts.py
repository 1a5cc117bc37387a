"""Reads commands, subagents and rules: a file each, most of them Markdown with a front matter."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from ...hookspecs import JSON, Component, ComponentKind, Severity
from .front_matter import FrontMatter, read_front_matter
from .json_document import Fault, Parsed
from .tree_reader import Reading, clean


def markdown_below(
    reading: Reading, folder: str, *, deep: bool = True, endings: tuple[str, ...] = (".md",)
) -> list[str]:
    """Return the Markdown files below a folder; with `deep` those of its folders, too."""
    depth = folder.count("/") + 1 if folder else 0
    paths = (path for path in reading.below(folder) if path.endswith(endings))
    return [path for path in paths if deep or path.count("/") == depth]


def add_commands(reading: Reading, paths: Iterable[str], folder: str) -> None:
    """Add commands, by Markdown or TOML files. One in a folder below `folder` is called `sub:name`."""
    for path in reading.unvisited(ComponentKind.COMMAND, paths):
        own = path.removeprefix(f"{folder}/") if folder else path
        name = clean(posixpath.splitext(own)[0].removesuffix(".prompt").replace("/", ":"))[:200]
        if posixpath.basename(path).lower() == "readme.md":
            message = "agents take this file for a command"
            reading.note("command-readme", Severity.NOTE, path, message)
        if path.endswith(".toml"):
            _add_toml_command(reading, path, name)
            continue
        matter = _matter(reading, path)
        if matter is not None:
            description = matter.text("description")
            reading.add(Component(ComponentKind.COMMAND, name, path, description, data=dict(matter.data)))


def _add_toml_command(reading: Reading, path: str, name: str) -> None:
    import tomllib

    file = reading.text(path)
    if file is None:
        return
    try:
        fields = tomllib.loads(file.text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        offset = _toml_offset(error, file.text)
        document = Parsed(None, {}, [Fault("toml-invalid", offset, "is not valid TOML here", fatal=True)])
        reading.document(file, document)
        return
    prompt, description = fields.get("prompt"), fields.get("description")
    if not isinstance(prompt, str):
        reading.error("command-prompt", path, "the file must have a text `prompt`", (1, 1))
        return
    if description is not None and not isinstance(description, str):
        reading.warn("wrong-type", path, "`description` must be a text", (1, 1))
    shown = clean(description) if isinstance(description, str) else None
    data: dict[str, JSON] = {} if shown is None else {"description": shown}
    reading.add(Component(ComponentKind.COMMAND, name, path, shown, data=data))


def _toml_offset(error: Exception, text: str) -> int:
    """Return where tomllib stopped: Python 3.14 says it as a number, older versions in the text of the error."""
    import re

    place = re.search(r"\(at line ([0-9]+), column ([0-9]+)\)", str(error))
    if place is None:
        return len(text) if "end of document" in str(error) else 0
    lines = text.split("\n")
    line = min(int(place[1]), len(lines))
    return sum(len(each) + 1 for each in lines[: line - 1]) + int(place[2]) - 1


def add_subagents(reading: Reading, paths: Iterable[str]) -> None:
    """Add subagents, by Markdown files whose front matter has `name` and `description`."""
    for path in reading.unvisited(ComponentKind.SUBAGENT, paths):
        matter = _matter(reading, path)
        if matter is None:
            continue
        document = matter.document
        for key in ("name", "description"):
            if matter.text(key) is None:
                message = f"the front matter has no text `{key}`: Claude Code passes the subagent over"
                reading.warn(f"subagent-{key}", path, message, document.place((key,)))
        if isinstance(matter.data.get("tools"), str):
            message = "`tools` is a text: Gemini CLI and opencode want a list, and opencode does not start with it"
            reading.note("subagent-tools", Severity.NOTE, path, message, document.place(("tools",)))
        stem = posixpath.basename(path).removesuffix(".md").removesuffix(".agent")
        name = clean(matter.text("name") or stem)[:200]
        reading.add(Component(ComponentKind.SUBAGENT, name, path, matter.text("description"), data=dict(matter.data)))


def add_rules(reading: Reading, paths: Iterable[str]) -> None:
    """Add rules: texts for the agent's memory."""
    for path in reading.unvisited(ComponentKind.RULE, paths):
        matter = read_front_matter(reading, path)
        if matter is not None:
            name = clean(posixpath.basename(path).removesuffix(".md").removesuffix(".instructions"))[:200]
            description = matter.text("description")
            reading.add(Component(ComponentKind.RULE, name, path, description, data=dict(matter.data)))


def _matter(reading: Reading, path: str) -> FrontMatter | None:
    matter = read_front_matter(reading, path)
    return None if matter is None or (matter.broken and matter.present) else matter
