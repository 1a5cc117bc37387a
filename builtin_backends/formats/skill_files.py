"""Reads skills: `SKILL.md` files, by the Agent Skills specification and by what agents tolerate."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import Final

from ...hookspecs import Component, ComponentKind, Severity
from .front_matter import FrontMatter, read_front_matter
from .tree_reader import Reading, clean, folders_with

FILE: Final = "SKILL.md"
MAX_NAME: Final = 64
MAX_DESCRIPTION: Final = 1024
_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def skills_in(reading: Reading, folder: str) -> list[str]:
    """Return the skills directly in the folders of a folder: `<folder>/<skill>/SKILL.md`."""
    depth = folder.count("/") + 2 if folder else 1
    return [path for path in folders_with(reading.below(folder), FILE) if path.count("/") == depth]


def skills_below(reading: Reading, folder: str = "") -> list[str]:
    """Return the skills at any depth below a folder."""
    return list(folders_with(reading.below(folder), FILE))


def add_skills(reading: Reading, paths: Iterable[str], *, assets: bool = True) -> None:
    """Add the skills with these `SKILL.md` files, and the files beside them as assets."""
    fresh = reading.unvisited(ComponentKind.SKILL, paths)
    if not fresh:
        return
    names: dict[str, str] = {
        component.name: component.path
        for component in reading.components
        if component.kind is ComponentKind.SKILL and reading.owns(component.path)
    }
    for path in fresh:
        matter = read_front_matter(reading, path)
        if matter is None or matter.broken:
            continue
        folder = posixpath.dirname(path)
        name = _name(reading, path, matter, posixpath.basename(folder))
        description = _description(reading, path, matter)
        if name in names and names[name] != path:
            message = f"another skill is called {name}, too: {names[name]}"
            reading.warn("skill-name-twice", path, message, matter.document.place(("name",)))
        names.setdefault(name, path)
        reading.add(Component(ComponentKind.SKILL, name, path, description, data=dict(matter.data)))
        if assets and folder:
            add_assets(reading, (file for file in reading.below(folder) if file != path))


def add_assets(reading: Reading, paths: Iterable[str]) -> None:
    """Add files that a component uses."""
    for path in paths:
        reading.add(Component(ComponentKind.ASSET, path, path))


def note_misspelt(reading: Reading, paths: Iterable[str]) -> None:
    """Note files that are called nearly like a skill's: no agent reads them."""
    for path in paths:
        name = posixpath.basename(path)
        if name != FILE and name.lower() == FILE.lower():
            reading.error("skill-file-name", path, f"the file must be called {FILE}: no agent reads {name}")


def _name(reading: Reading, path: str, matter: FrontMatter, folder: str) -> str:
    place = matter.document.place(("name",))
    written = matter.data.get("name")
    if not matter.present:
        message = "the file has no front matter with `name` and `description`: only Claude Code reads such a skill"
        reading.warn("skill-front-matter", path, message, (1, 1))
    elif written is None:
        message = "the front matter has no `name`: Gemini CLI, Qwen Code and opencode pass the skill over"
        reading.warn("skill-name", path, message, place)
    elif not isinstance(written, str):
        reading.warn("skill-name", path, "`name` must be a text", place)
    elif not _NAME.fullmatch(written) or len(written) > MAX_NAME:
        message = f"`name` must be lower-case letters, digits and single hyphens, at most {MAX_NAME} characters"
        reading.warn("skill-name", path, message, place)
    elif folder and written != folder:
        message = f"the skill is called {written} and its folder {folder}: Claude Code goes by the folder"
        reading.note("skill-name-folder", Severity.NOTE, path, message, place)
    name = matter.text("name") or folder or "skill"
    return clean(name)[:200]


def _description(reading: Reading, path: str, matter: FrontMatter) -> str | None:
    place = matter.document.place(("description",))
    written = matter.data.get("description")
    if isinstance(written, str) and written.strip():
        if len(written) > MAX_DESCRIPTION:
            message = (
                f"the description has {len(written)} characters, {MAX_DESCRIPTION} are allowed: "
                "agents cut it or pass the skill over"
            )
            reading.warn("skill-description-length", path, message, place)
        return written
    if matter.present:
        what = "has no `description`" if written is None else "has a `description` that is no text"
        message = f"the front matter {what}: most agents pass the skill over"
        reading.warn("skill-description", path, message, place)
    return None
